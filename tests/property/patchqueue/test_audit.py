from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.audit.auditor import Auditor
from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
from tests.repositories import FILE, Case, commits_of, make

if TYPE_CHECKING:
    from tests.repositories import Files

NAMES = tuple(f"{word}_{number}" for word in ("alpha", "beta", "gamma") for number in range(3))
FORMS = {
    ".py": ("def {name}(x):\n    return x\n", "print({name}(1))\n"),
    ".h": ("inline int {name}(int x) {{ return x; }}\n", "int y = {name}(1);\n"),
    ".bzl": ("{name} = 1\n", "other = [{name}]\n"),
}


@st.composite
def histories(draw: st.DrawFn) -> tuple[Case, set[str], dict[str, str]]:
    """Draw upstream files that define names; what is taken away, renamed, moved; a queue's uses."""
    homes = {name: (f"d{draw(st.integers(0, 2))}/f", draw(st.sampled_from(sorted(FORMS))))
             for name in NAMES}  # fmt: skip
    fates = {name: draw(st.sampled_from(("kept", "gone", "renamed", "moved"))) for name in NAMES}
    used = draw(st.sets(st.sampled_from(NAMES), min_size=1))
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for name, (path, suffix) in homes.items():
        definition = FORMS[suffix][0]
        _add(before, path + suffix, definition.format(name=name))
        match fates[name]:
            case "kept":
                _add(after, path + suffix, definition.format(name=name))
            case "renamed":
                _add(after, path + suffix, definition.format(name=f"new_{name}"))
            case "moved":
                _add(after, f"moved{suffix}", definition.format(name=name))
            case _:
                _add(after, path + suffix, "\n")
    queue = dict(before)
    for name in sorted(used):
        suffix = homes[name][1]
        _add(queue, f"mine{suffix}", FORMS[suffix][1].format(name=name))
    gone = {name for name in used if fates[name] in ("gone", "renamed")}
    renamed = {name: f"new_{name}" for name in gone if fates[name] == "renamed"}
    return Case(_files(before), (_files(after),), (_files(queue),)), gone, renamed


def _add(texts: dict[str, str], path: str, text: str) -> None:
    texts[path] = texts.get(path, "") + text


def _files(texts: dict[str, str]) -> Files:
    return {path: (FILE, text.encode()) for path, text in texts.items()}


@settings(max_examples=10, deadline=None)
@given(histories())
def test_an_audit_finds_each_name_that_is_gone_and_no_other(
    drawn: tuple[Case, set[str], dict[str, str]],
) -> None:
    """What the queue uses and upstream took away or renamed is found; a name that stands is not.

    `git grep -w` on the new base is the judge of what stands.
    """
    case, gone, renamed = drawn
    with tempfile.TemporaryDirectory() as folder:
        made = make(case, Path(folder) / "repository")
        with open_quarantine(made.git) as quarantine:
            history = UpstreamHistory(quarantine.git, made.base, made.onto)
            patches = commits_of(made.git, f"{made.base}..queue")
            auditor = Auditor(quarantine, history, quarantine.tree(made.onto))
            findings = auditor.audit(patches).findings
            again = Auditor(quarantine, history, quarantine.tree(made.onto)).audit(patches)
        words = {finding.used.name for finding in findings}
        grep = ("grep", "-q", "-w", "-F", "-e")
        stands = {
            n for n in NAMES if made.git.run(*grep, n, made.onto, expected=(0, 1)).status == 0
        }
    assert words == gone
    assert not words & stands
    assert again.findings == findings
    for finding in findings:
        assert finding.renamed_to in ("", renamed.get(finding.used.name, ""))
        assert [commit.oid for commit in finding.removed_by] == [made.onto]
