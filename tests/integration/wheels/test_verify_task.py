"""The task: one document, exit codes, accepted findings, pages."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.verify import Code
from tensorflow_macos_build.wheels.verify.must_export import expand, lists, read
from tests import command_line
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parents[3]


def invoke(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    return command_line.run(*arguments, module="invoke", env=environment)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return WheelFiles({"tiny/__init__.py": b""}, tag="py3-none-any").write(tmp_path)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    wheel = WheelFiles({"tiny/__init__.py": b""}, tag="py3-none-any")
    return wheel.write(tmp_path, {**wheel.contents(), "tiny/extra.py": b""})


def test_a_sound_wheel_gives_a_document_and_0(sound: Path) -> None:
    done = invoke("verify", sound, "--json")
    document = json.loads(done.stdout)
    documents.check(document)
    assert (done.returncode, document["ok"], document["findings"]) == (0, True, [])


def test_a_broken_wheel_gives_its_findings_and_1(broken: Path) -> None:
    done = invoke("verify", broken, "--json")
    document = json.loads(done.stdout)
    documents.check(document)
    assert done.returncode == 1
    first = document["findings"][0]
    assert (first["code"], first["severity"], first["file"]) == (
        "record-missing", "error", "tiny/extra.py",
    )  # fmt: skip


def test_people_get_a_table_and_a_page(broken: Path) -> None:
    done = invoke("verify", broken, "--explain", "record-missing")
    assert done.returncode == 1
    assert "tiny/extra.py" in done.stdout
    assert "Write RECORD anew" in done.stdout
    assert "1 error, 0 warnings" in done.stdout


def test_an_accepted_finding_gives_0(broken: Path) -> None:
    assert invoke("verify", broken, "--allow", "record-missing:tiny/extra.py").returncode == 0


def test_a_list_of_symbols_comes_from_a_file(sound: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("# wanted\nTF_One\n\nTF_Two # too\n", encoding="utf-8")
    assert read(names.read_text(encoding="utf-8")) == ("TF_One", "TF_Two")
    # A wheel without binaries has no architecture that could lack a symbol, and says so.
    done = invoke("verify", sound, "--must-export", names, "--json")
    assert [finding["code"] for finding in json.loads(done.stdout)["findings"]] == ["must-export"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nowhere.whl"],
        ["WHEEL", "--allow", "no-such-code"],
        ["WHEEL", "--must-export", "@no-such-list"],
        ["WHEEL", "--must-export", "no such name"],
        ["WHEEL", "--config", "no-such-config"],
        ["WHEEL", "--explain", "no-such-code"],
    ],
)
def test_wrong_usage_gives_2_and_a_hint(sound: Path, arguments: list[str]) -> None:
    done = invoke(
        "verify", *[str(sound) if argument == "WHEEL" else argument for argument in arguments]
    )
    assert done.returncode == 2
    assert "error:" in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_code_has_a_page_that_says_what_to_do() -> None:
    pages = ROOT / "tensorflow_macos_build" / "wheels" / "verify" / "pages"
    assert {path.stem for path in pages.iterdir()} == {code.slug for code in Code}
    for code in Code:
        text = code.explanation()
        assert text.startswith(f"# {code.slug}\n")
        assert all(part in text for part in ("Why it matters:", "What to do:", "Source:"))


def test_explain_prints_a_page_without_a_wheel() -> None:
    done = invoke("verify.explain", "rpath-misses")
    assert done.stdout == Code.RPATH_MISSES.explanation()


def test_the_list_of_plugin_symbols_has_the_14_that_were_lost() -> None:
    assert "tensorflow-plugins" in lists()
    names = expand(["@tensorflow-plugins", "TF_IsRefInput"])
    assert len(names) == 14
    assert all(name.startswith("TF_") for name in names)
    with pytest.raises(UsageError):
        expand(["@none"])
