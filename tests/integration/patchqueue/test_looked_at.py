"""What needs a look after a clean merge, and `patches.looked-at`, as people type them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tests import command_line
from tests.repositories import FILE, Case, make

if TYPE_CHECKING:
    import subprocess

    from tests.repositories import Files

TOOLS = "def {name}(x):\n    return x\n"


def files(**texts: str) -> Files:
    return {f"py/{name}.py": (FILE, text.encode()) for name, text in texts.items()}


@pytest.fixture
def flags(tmp_path: Path) -> tuple[str, ...]:
    """The flags that name a queue that uses what upstream renamed later."""
    base = files(tools=TOOLS.format(name="as_numpy"))
    mine = {**base, **files(mine="from py import tools\n\ntools.as_numpy(1)\n")}
    case = Case(base, (files(tools=TOOLS.format(name="to_numpy")),), (mine,))
    made = make(case, tmp_path / "upstream.git")
    named = ("--queue", str(tmp_path / "queue"), "--cache", str(tmp_path / "mirrors"))
    span = ("--range", f"{made.base}..queue", "--upstream", str(made.git.git_dir))
    assert inv("patches.import", *named, *span).returncode == 0
    return (*named, "--onto", "upstream")


def inv(*args: str) -> subprocess.CompletedProcess[str]:
    return command_line.run(*args)


def audit(*args: str) -> documents.Json:
    done = inv("rebase", *args, "--json")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    documents.check(document)
    part: documents.Json = document["audit"]
    return part


def test_a_finding_is_shown_until_somebody_looked_at_it(flags: tuple[str, ...]) -> None:
    (finding,) = audit(*flags)["findings"]
    assert (finding["name"], finding["renamed_to"]) == ("as_numpy", "to_numpy")
    shown = inv("rebase", *flags).stdout
    assert "needs a look: identifier as_numpy is gone" in shown
    assert "now to_numpy" in shown

    words = ("--patch", "queue-1", "--name", "as_numpy", "--note", "ours")
    done = inv("patches.looked-at", *flags, *words, "--json")
    assert done.returncode == 0
    documents.check(json.loads(done.stdout))
    after = audit(*flags)
    assert (after["needs_look"], after["findings"][0]["looked_at"]) == (0, "ours")
    assert "needs a look:" not in inv("rebase", *flags).stdout
    # a rebase that writes the queue back keeps what was noted
    assert inv("rebase", *flags, "--write").returncode == 0
    assert '"note": "ours"' in (Path(flags[1]) / "looked-at.json").read_text()


def test_a_forecast_shows_it_too(flags: tuple[str, ...]) -> None:
    done = inv("patches.forecast", *flags, "--json")
    document = json.loads(done.stdout)
    documents.check(document)
    assert document["revisions"][0]["audit"]["needs_look"] == 1
    assert "needs a look: identifier as_numpy is gone" in inv("patches.forecast", *flags).stdout


def test_a_report_between_two_bases_shows_it_too(flags: tuple[str, ...], tmp_path: Path) -> None:
    before = shutil.copytree(flags[1], tmp_path / "before")
    assert inv("rebase", *flags, "--write").returncode == 0
    states = ("--old", f"{before}", "--new", flags[1])
    page = tmp_path / "report.html"
    words = ("--audit", "--cache", flags[3], "--html", str(page))
    done = inv("patches.report", *states, *words, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    documents.check(document)
    assert document["audit"]["needs_look"] == 1
    assert "identifier as_numpy is gone" in page.read_text()
    assert "identifier as_numpy is gone" in inv("patches.report", *states, *words).stdout
    without = json.loads(inv("patches.report", *states, "--json").stdout)
    assert without["audit"]["not_done"] == "it was not asked for"


def test_what_is_no_finding_is_refused(flags: tuple[str, ...]) -> None:
    done = inv("patches.looked-at", *flags, "--patch", "queue-1", "--name", "other")
    assert done.returncode == 2
    assert "the audit has no finding on other" in done.stderr


def test_an_unknown_way_to_audit_is_refused(flags: tuple[str, ...]) -> None:
    done = inv("rebase", *flags, "--audit", "sometimes")
    assert done.returncode == 2
    assert "it is one of local, always, never" in done.stderr
