"""What each group of tasks needs of this machine, and what of that is missing.

The tools and packages are those that the tasks themselves name; what else a group needs is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tensorflow_macos_build import dependency_groups
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import doctor, preflight, tools
from tensorflow_macos_build.pipeline.doctor import Availability, HostFinding
from tensorflow_macos_build.release.publishing import github, secrets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from tensorflow_macos_build.pipeline.workspace import Workspace

BUILD = "build"
"""The group whose needs are those of a config's build."""


@dataclass(frozen=True)
class TaskGroup:
    """Tasks that are listed together, and what they name as needed.

    Attributes:
        name: the group's name.
        tools: names in `tools.TOOLS`.
        packages: names of dependency groups, which scripts/inv installs once a task needs them.
    """

    name: str
    tools: tuple[str, ...]
    packages: tuple[str, ...]


@dataclass(frozen=True)
class GroupFindings:
    """What was found of a group's needs.

    Attributes:
        group: the group's name.
        findings: the answer to each question.
    """

    group: str
    findings: tuple[HostFinding, ...]

    @property
    def missing(self) -> tuple[HostFinding, ...]:
        """What the group cannot do without, and is not as it should be."""
        return tuple(finding for finding in self.findings if finding.stops_the_build)

    @property
    def line(self) -> str:
        """One command that installs all tools of it that are missing; "" where none is."""
        lacking = [item.code for item in self.missing if item.code in tools.TOOLS]
        return tools.install_line(lacking) if lacking else ""


def examine(
    workspace: Workspace, groups: Iterable[TaskGroup], ignore: Collection[str] = ()
) -> tuple[GroupFindings, ...]:
    """Return what there is on this machine of what groups of tasks need.

    Args:
        workspace: the release that a build makes, and whose Python smoke tests use.
        groups: the groups to look at.
        ignore: codes of findings that shall not count.

    Raises:
        UsageError: a code is none of a finding.
    """
    seen = [(group.name, tuple(_findings(group, workspace))) for group in groups]
    preflight.refuse_unknown(ignore, (finding for _, listed in seen for finding in listed))
    return tuple(
        GroupFindings(name, preflight.ignoring(listed, frozenset(ignore))) for name, listed in seen
    )


def _findings(group: TaskGroup, workspace: Workspace) -> Iterator[HostFinding]:
    if group.name == BUILD:
        yield from preflight.examine(workspace)
    else:
        yield from (doctor.tool(tools.TOOLS[name]) for name in group.tools)
    match group.name:
        case "wheels":
            yield from (doctor.inflating(), _uv(needed=False))  # of its tasks one needs it
        case "smoke":
            yield from (doctor.python(workspace.release), _uv(needed=True))
            yield from doctor.device()
        case "release":
            yield _token()
    if group.packages:
        yield _packages(group.packages)


def _uv(*, needed: bool) -> HostFinding:
    """Look for uv, which the lock brings where there is one for the machine."""
    try:
        path = dependency_groups.uv()
    except UsageError as error:
        remedy = f"{error.hint}; `wheelhouse`, `smoke` and `bench` need it"
        return HostFinding("uv", "uv", Availability.MISSING, needed, remedy=remedy)
    return HostFinding("uv", "uv", Availability.FOUND, needed, path)


def _token() -> HostFinding:
    """Look for a token of GitHub's; without one, releases can be prepared but not published."""
    names = " or ".join(github.TOKENS)
    remedy = f"set {names}, to publish on GitHub"
    try:
        secret = secrets.find(github.TOKENS, urlsplit(github.API).netloc)
    except UsageError as error:
        state = Availability.DOES_NOT_FIT
        return HostFinding("token", "token of GitHub", state, False, error.what, remedy)
    if secret is None:
        return HostFinding("token", "token of GitHub", Availability.MISSING, False, "", remedy)
    return HostFinding("token", "token of GitHub", Availability.FOUND, False, secret.source)


def _packages(groups: Sequence[str]) -> HostFinding:
    """Return whether the environment has the packages of some dependency groups."""
    lacking = dependency_groups.lacking(groups)
    state = Availability.MISSING if lacking else Availability.FOUND
    remedy = f"nothing: a task that needs {', '.join(lacking)} installs them" if lacking else ""
    what = "Python packages"
    return HostFinding("packages", what, state, False, ", ".join(groups), remedy)
