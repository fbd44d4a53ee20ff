from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.audit import looked_at
from tensorflow_macos_build.patchqueue.audit.auditor import Auditor
from tensorflow_macos_build.patchqueue.audit.definitions import words_in
from tensorflow_macos_build.patchqueue.audit.model import (
    AuditFinding,
    AuditResult,
    NameKind,
    NameUse,
    UsedName,
)
from tensorflow_macos_build.patchqueue.replay import replay
from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
from tests.repositories import FILE, Case, commits_of, make

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tests.repositories import Files, Made

UPSTREAM = {
    "core/run.h": "#define LOCKS_REQUIRED(x)\nclass Runner {\n public:\n  int FinishAll();\n};\n",
    "core/other.h": "int Unchanged();\n",
    "py/tools.py": "def to_numpy_type(x):\n    return x\n\n\ndef kept_name(x):\n    return x\n",
    "core/BUILD": 'load("//core:rules.bzl", "old_rule")\n\ncc_library(\n    name = "runner",\n)\n',
    "core/rules.bzl": "def old_rule(name):\n    pass\n\ndef kept_rule(name):\n    pass\n",
    "docs/README.md": "Call to_numpy_type.\n",
    "WORKSPACE": "",
}


def files(texts: dict[str, str]) -> Files:
    return {path: (FILE, text.encode()) for path, text in texts.items()}


def audited(folder: Path, now: dict[str, str], added: dict[str, str]) -> tuple[AuditFinding, ...]:
    """Audit a queue of one patch that adds files to UPSTREAM, moved to `now`."""
    case = Case(files(UPSTREAM), (files(now),), (files({**UPSTREAM, **added}),))
    folder.mkdir(exist_ok=True)
    made = make(case, folder / "repository")
    with open_quarantine(made.git) as quarantine:
        result = moved_and_audited(quarantine, made)
    assert all(
        [commit.oid for commit in item.removed_by] == [made.onto] for item in result.findings
    )
    return result.findings


def moved_and_audited(quarantine: Quarantine, made: Made) -> AuditResult:
    history = UpstreamHistory(quarantine.git, made.base, made.onto)
    patches = commits_of(made.git, f"{made.base}..queue")
    moved = replay.replay(quarantine, made.onto, [patch.commit for patch in patches])
    return Auditor(quarantine, history, moved.tree).audit(patches)


def names(findings: tuple[AuditFinding, ...]) -> list[tuple[str, str, str]]:
    return [(item.used.kind.value, item.used.name, item.renamed_to) for item in findings]


def changed(path: str, old: str, new: str) -> dict[str, str]:
    assert old in UPSTREAM[path]
    return {**UPSTREAM, path: UPSTREAM[path].replace(old, new)}


def test_a_function_that_upstream_renamed_is_shown_with_its_new_name(tmp_path: Path) -> None:
    now = changed("py/tools.py", "def to_numpy_type(", "def sync_to_numpy_type(")
    uses = {"py/mine.py": "from py import tools\n\nprint(tools.to_numpy_type(1))\n"}
    findings = audited(tmp_path, now, uses)
    assert names(findings) == [("identifier", "to_numpy_type", "sync_to_numpy_type")]
    assert findings[0].use == NameUse("py/mine.py", 3, "print(tools.to_numpy_type(1))")
    assert findings[0].was_in == "py/tools.py"


@pytest.mark.parametrize(
    ("path", "old", "word", "use"),
    [
        ("core/run.h", "#define LOCKS_REQUIRED(x)", "LOCKS_REQUIRED", "int x LOCKS_REQUIRED(m);"),
        ("core/run.h", "int FinishAll();", "FinishAll", "  runner.FinishAll();"),
        ("core/run.h", "class Runner {", "Runner", "class Mine : public Runner {};"),
    ],
)
def test_what_upstream_took_away_without_a_successor_is_shown(
    tmp_path: Path, path: str, old: str, word: str, use: str
) -> None:
    findings = audited(tmp_path, changed(path, old, ""), {"core/mine.cc": f"{use}\n"})
    assert names(findings) == [("identifier", word, "")]


@pytest.mark.parametrize(
    "text",
    [
        "def to_numpy_type(x):\n    return x\n\n\nto_numpy_type(1)\n",  # its own
        '"""Like to_numpy_type,\nto_numpy_type.\n"""\n',  # prose
        "# to_numpy_type\nx = 'to_numpy_type'\n",
        "to_numpy_types(1)\n",  # another word
    ],
)
def test_what_uses_no_name_of_upstream_is_no_finding(tmp_path: Path, text: str) -> None:
    now = changed("py/tools.py", "def to_numpy_type(", "def sync_to_numpy_type(")
    assert audited(tmp_path, now, {"py/mine.py": text}) == ()


def test_a_namespace_of_a_library_under_its_own_name_is_not_upstreams() -> None:
    """Graphcore's fork calls Eigen::half_impl, of which TensorFlow took an alias away in 2.6."""
    assert words_in([b"  namespace half_impl = Eigen::half_impl;\n"]) == set()
    assert words_in([b"namespace half = ::Eigen::half_impl;\n"]) == {b"half"}


def test_a_name_that_moved_elsewhere_is_no_finding(tmp_path: Path) -> None:
    now = changed("py/tools.py", "def to_numpy_type(x):\n    return x\n", "")
    now["py/moved.py"] = "def to_numpy_type(x):\n    return x\n"
    assert audited(tmp_path, now, {"py/mine.py": "tools.to_numpy_type(1)\n"}) == ()


def test_a_line_that_a_later_patch_takes_away_is_no_finding(tmp_path: Path) -> None:
    """Of the 56 names of Graphcore's 3,348 patches on v2.5.0 most were in such lines."""
    now = changed("core/run.h", "int FinishAll();", "")
    first = files(
        {**UPSTREAM, "core/mine.cc": "run.FinishAll();\n", "core/more.cc": "FinishAll();\n"}
    )
    second = files(
        {**UPSTREAM, "core/mine.cc": "run.Finish();\n", "core/more.cc": "FinishAll();\n"}
    )
    made = make(Case(files(UPSTREAM), (files(now),), (first, second)), tmp_path / "repository")
    with open_quarantine(made.git) as quarantine:
        result = moved_and_audited(quarantine, made)
    assert [(item.used.name, item.use.path, item.uses) for item in result.findings] == [
        ("FinishAll", "core/more.cc", 1)
    ]


def test_a_name_that_an_unchanged_file_still_has_is_no_finding(tmp_path: Path) -> None:
    now = changed("core/run.h", "int FinishAll();", "")
    case = {**now, "core/other.h": UPSTREAM["core/other.h"]}
    assert audited(tmp_path, case, {"core/mine.cc": "Unchanged();\n"}) == ()


def test_a_header_that_moved_is_shown_with_its_new_path(tmp_path: Path) -> None:
    now = {path: text for path, text in UPSTREAM.items() if path != "core/run.h"}
    now["core/deep/run.h"] = UPSTREAM["core/run.h"]
    findings = audited(
        tmp_path, now, {"core/mine.cc": '#include "core/run.h"\n#include <vector>\n'}
    )
    assert names(findings) == [("file", "core/run.h", "core/deep/run.h")]


def test_a_module_that_became_a_package_is_there(tmp_path: Path) -> None:
    now = {path: text for path, text in UPSTREAM.items() if path != "py/tools.py"}
    now["py/tools/__init__.py"] = UPSTREAM["py/tools.py"]
    assert audited(tmp_path, now, {"py/mine.py": "from py.tools import kept_name\n"}) == ()


@pytest.mark.parametrize("label", ["//core:runner", "@org_tensorflow//core:runner"])
def test_a_target_that_was_renamed_is_shown(tmp_path: Path, label: str) -> None:
    now = changed("core/BUILD", 'name = "runner"', 'name = "runner_impl"')
    build = f'cc_library(\n    name = "mine",\n    deps = ["{label}"],\n)\n'
    findings = audited(tmp_path, now, {"mine/BUILD": build})
    assert names(findings) == [("target", "//core:runner", "runner_impl")]


def test_what_the_queue_takes_away_itself_is_no_finding(tmp_path: Path) -> None:
    """In a conflict the patch's side stands for now, and may lack what upstream has."""
    own = {"core/BUILD": "", "my/BUILD": 'cc_library(name = "x", deps = ["//core:runner"])\n'}
    assert audited(tmp_path, {**UPSTREAM, "new": ""}, own) == ()


def test_a_target_of_its_own_package_and_one_elsewhere_are_told_apart(tmp_path: Path) -> None:
    now = changed("core/BUILD", 'name = "runner"', 'name = "runner_impl"')
    build = (
        'cc_library(\n    deps = [\n        ":runner",\n        "@absl//core:runner",\n    ],\n)\n'
    )
    assert audited(tmp_path / "elsewhere", now, {"mine/BUILD": build}) == ()
    own = {"core/BUILD": UPSTREAM["core/BUILD"] + build}
    findings = audited(tmp_path / "own", now, own)
    assert names(findings) == [("target", "//core:runner", "runner_impl")]


def test_a_loaded_symbol_that_is_gone_from_its_file_is_shown(tmp_path: Path) -> None:
    now = changed("core/rules.bzl", "def old_rule(name):\n    pass\n", "")
    now["core/BUILD"] = UPSTREAM["core/BUILD"].partition("\n")[2]
    build = 'load("//core:rules.bzl", "kept_rule", "old_rule")\n\nkept_rule(name = "a")\n'
    findings = audited(tmp_path, now, {"mine/BUILD": build})
    assert names(findings) == [("load", "core/rules.bzl%old_rule", "")]


FINDING = AuditFinding(
    "00100-a.patch",
    UsedName(NameKind.IDENTIFIER, "old"),
    NameUse("a.py", 3, "old()"),
    1,
    "b.py",
)


def test_what_was_looked_at_shows_anew_when_it_is_another_one(tmp_path: Path) -> None:
    folder = tmp_path / "queue"
    folder.mkdir()
    looked_at.record(folder, [FINDING], "it is defined for Macs")
    notes = looked_at.load(folder)

    def note(finding: AuditFinding) -> str | None:
        return notes.get(looked_at.of(finding))

    assert note(FINDING) == "it is defined for Macs"
    # moved in its queue, or used at another line, it is the same finding
    assert note(replace(FINDING, patch="00300-a.patch", uses=2)) == "it is defined for Macs"
    assert note(replace(FINDING, use=NameUse("a.py", 9, "old()"))) == "it is defined for Macs"
    assert note(replace(FINDING, use=NameUse("a.py", 3, "old(1)"))) is None
    assert note(replace(FINDING, used=UsedName(NameKind.FILE, "old"))) is None
    assert note(replace(FINDING, patch="00100-b.patch")) is None


def test_a_damaged_record_is_refused_by_its_path(tmp_path: Path) -> None:
    (tmp_path / looked_at.FILE).write_text('{"schema": {"name": "other", "version": 1}}')
    with pytest.raises(UsageError, match="does not say what was looked at"):
        looked_at.load(tmp_path)
