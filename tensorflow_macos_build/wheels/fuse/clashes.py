"""Files of two wheels that one folder cannot hold, though each half allows its own alone.

Two kinds: those that cannot be unpacked beside each other on a Mac's usual file system, and those
that installers put at one path, because one of them lies in a data folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.archive import member_names
from tensorflow_macos_build.wheels.dist_info import fused_json, install_paths
from tensorflow_macos_build.wheels.fuse.rules import RuleVerdict
from tensorflow_macos_build.wheels.fuse.verdicts import UndecidedPath, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.fuse.pair import WheelPair
    from tensorflow_macos_build.wheels.fuse.verdicts import PathVerdict

_Members = Mapping[str, Mapping[str, "Member"]]

_UNPACKED = "cannot be unpacked on a Mac beside"
_INSTALLED = "would be installed at the same path as"


def undecided(
    verdicts: Iterable[PathVerdict], pair: WheelPair, renamed: Mapping[str, Mapping[str, str]]
) -> list[UndecidedPath]:
    """Return the files that another excludes, each with a rule that would settle it.

    Args:
        verdicts: what the fused wheel would hold.
        pair: the wheels.
        renamed: `FusePlan.renamed`.
    """
    kept = [at for at in verdicts if at.verdict is not Verdict.DROPPED]
    # Written for the fused wheel, these have no verdict, and a half's file may clash with them.
    own = [f"{pair.dist_info}/{name}" for name in ("WHEEL", fused_json.NAME, "RECORD")]
    paths = [*own, *(at.path for at in kept)]
    # Two files of `kept` may have one path: one of both halves that is kept beside the other's gets
    # the name of a third. The later counts in `members`, which is the third.
    kept.sort(key=lambda at: at.verdict is not Verdict.BOTH)
    members = {at.path: at.members for at in kept}
    originals = {path: original for arch in renamed.values() for path, original in arch.items()}
    installed = member_names.collisions(paths, install_paths.installed)
    clashes = {clash: _INSTALLED for clash in installed if not _is_of_both(clash, members)}
    clashes.update(dict.fromkeys(member_names.collisions(paths), _UNPACKED))
    return [_undecided(clash, how, members, originals) for clash, how in sorted(clashes.items())]


def _is_of_both(clash: tuple[str, str], members: _Members) -> bool:
    """Whether both halves have both files, so that the fused wheel installs as they do."""
    return all(path not in members or len(members[path]) == 2 for path in clash)


def _undecided(
    clash: tuple[str, str], how: str, members: _Members, originals: Mapping[str, str]
) -> UndecidedPath:
    """Blame the file of the two that a rule can take away: equal ones are not asked for rules."""

    def cannot_go(path: str) -> tuple[bool, bool]:
        return path not in originals, len(members.get(path, ())) != 1

    blamed, other = sorted(clash, key=cannot_go)
    path = originals.get(blamed, blamed)
    owner = f"it is of the {_owner(blamed, members)} wheel and"
    subject = owner if path == blamed else f"as `{blamed}` it"
    reason = f"{subject} {how} `{other}` of the {_owner(other, members)} wheel"
    verdict = RuleVerdict.DROP if path == blamed else RuleVerdict.ARM64
    return UndecidedPath(path, reason, members.get(blamed, {}), verdict)


def _owner(path: str, members: _Members) -> str:
    return " and the ".join(sorted(members.get(path, ("fused",))))
