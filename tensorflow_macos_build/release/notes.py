"""Release notes: what changed in the queue of patches, in words, and which Mac the wheels are for.

Text of others (subjects of patches, reasons) is shown as text, whatever Markdown would make of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.release.model import GateOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.release.model import Gate
    from tensorflow_macos_build.release.targets import WheelTarget

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&!@])")
_BEGINNING = re.compile(r"^([-+]|[0-9]{1,9}(?=[.)](?: |$)))")
"""What begins an item of a list, or a rule: after the `- ` of an item here, one in it."""


@dataclass(frozen=True)
class PatchChange:
    """What became of a patch since the release before.

    Attributes:
        subject: what it does, in its author's words.
        fate: `same`, `changed`, `added` or `removed`.
        added: lines that its text gained.
        removed: lines that its text lost.
        evidence: where upstream has it, where that is why it went; "" elsewhere.
    """

    subject: str
    fate: str
    added: int = 0
    removed: int = 0
    evidence: str = ""


@dataclass(frozen=True)
class NoteFacts:
    """What the notes are made of.

    Attributes:
        title: the heading.
        upstream: the url, ref and commit that it was built of.
        since: the name of the release before; "" for the first.
        changes: what became of each patch.
        wheels: what the wheels are for.
        gates: the checks before the release.
        smoke: what trying the wheel saw, in lines.
    """

    title: str
    upstream: tuple[str, str, str]
    since: str
    changes: tuple[PatchChange, ...]
    wheels: tuple[WheelTarget, ...]
    gates: tuple[Gate, ...]
    smoke: tuple[str, ...]


def markdown(facts: NoteFacts) -> str:
    """Return the notes."""
    return "".join(f"{line}\n" for line in _lines(facts))


def escaped(text: str) -> str:
    """Return a text in one line that Markdown shows as it is."""
    return _BEGINNING.sub(_disarmed, _MARKUP.sub(r"\\\1", " ".join(text.split())))


def _disarmed(beginning: re.Match[str]) -> str:
    # A sign itself is escaped, of a number what follows it.
    return f"\\{beginning[0]}" if beginning[0] in "-+" else f"{beginning[0]}\\"


def _lines(facts: NoteFacts) -> Iterator[str]:
    url, ref, commit = facts.upstream
    yield f"# {escaped(facts.title)}"
    yield from ("", f"Built of {escaped(url)} at {escaped(ref)} (`{commit}`).", "")
    yield from ("## Wheels", "", "| file | Python | for | SHA-256 |", "| --- | --- | --- | --- |")
    for wheel in facts.wheels:
        systems = "; ".join(wheel.systems)
        yield f"| `{wheel.file.name}` | {wheel.python} | {systems} | `{wheel.file.sha256}` |"
    yield from _patches(facts)
    yield from ("", "## What was looked at", "")
    for gate in facts.gates:
        waived = " (waived)" if gate.outcome is GateOutcome.WAIVED else ""
        yield f"- {gate.name}{waived}: {escaped(gate.why)}"
    if facts.smoke:
        yield from ("", "Trying the wheel:", "")
        yield from (f"- {escaped(line)}" for line in facts.smoke)
    yield from ("", "`scripts/inv release.verify` checks all files of this release.")


def _patches(facts: NoteFacts) -> Iterator[str]:
    since = f"Patches since {escaped(facts.since)}" if facts.since else "Patches"
    yield from ("", f"## {since}", "")
    shown = [change for change in facts.changes if not facts.since or change.fate != "same"]
    for change in shown:
        yield f"- {_sentence(change, is_first=not facts.since)}"
    same = len(facts.changes) - len(shown)
    if same:
        yield f"- {same} {'is' if same == 1 else 'are'} as before."
    if not facts.changes:
        yield "- There are none."


def _sentence(change: PatchChange, *, is_first: bool) -> str:
    subject = escaped(change.subject)
    why = f" ({escaped(change.evidence)})" if change.evidence else ""
    if is_first or change.fate == "same":
        return f"{subject}{why}"
    if change.fate == "changed":
        return f"Changed: {subject} (+{change.added} -{change.removed} lines of the patch){why}"
    return f"{'New' if change.fate == 'added' else 'Gone'}: {subject}{why}"
