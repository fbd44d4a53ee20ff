"""All that can be told before a build's first stage, at once: what will fail should fail now.

Nothing is made or fetched for it, unless it is asked for. What cannot be looked at yet is said not
to have been.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import os
import platform
from typing import TYPE_CHECKING

from packaging import version as version_numbers
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from tensorflow_macos_build.errors import ExitCode, MacosBuildError, UsageError
from tensorflow_macos_build.git import objects
from tensorflow_macos_build.git.repository import Git, ObjectMissing
from tensorflow_macos_build.patchqueue.queue import materialise, storage
from tensorflow_macos_build.pipeline import doctor, hazards, miniature, tools, versions
from tensorflow_macos_build.pipeline.doctor import Availability, HostFinding
from tensorflow_macos_build.pipeline.rounds.folder import StateFolder
from tensorflow_macos_build.upstream import mirror
from tensorflow_macos_build.upstream.tensorflow_tree import sources
from tensorflow_macos_build.upstream.tensorflow_tree import tree as trees
from tensorflow_macos_build.upstream.tensorflow_tree.bazelrc import BadConfig

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tensorflow_macos_build.config import Release
    from tensorflow_macos_build.pipeline.records import PatchResult
    from tensorflow_macos_build.pipeline.rounds.budget import TimeBox
    from tensorflow_macos_build.pipeline.versions import Version
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.upstream.tensorflow_tree.tree import TensorflowTree

_UPSTREAM = "upstream"
"""The code of the finding that upstream's files could not be looked at."""

_OF_THE_TREE = frozenset({_UPSTREAM, "upstream-configs", "upstream-target"})
"""The codes of what can be judged at the latest when the patched tree is there."""

_BY_CONFIGURE = "opt"
"""The config that no tree defines: configure.py writes its lines into .tf_configure.bazelrc."""


def examine(
    workspace: Workspace,
    ignore: Iterable[str] = (),
    *,
    patched: PatchResult | None = None,
    box: TimeBox | None = None,
) -> tuple[HostFinding, ...]:
    """Return what was looked at before a build, and how it is.

    Args:
        workspace: the release.
        ignore: codes of findings that shall not stop the build.
        patched: the tree that is built, to look at in place of upstream's; None: it is not there.
        box: the time box, whose states need room; None: it is built in one go.

    Raises:
        UsageError: a code is none of a finding.
    """
    findings = (
        *doctor.examine(workspace, _states_gb(workspace.release, box)),
        *_credentials(workspace.release),
        *_disk_cache(workspace),
        *_queue(workspace),
        *_of_upstream(workspace, patched),
    )
    refuse_unknown(ignore, findings)
    return ignoring(findings, frozenset(ignore))


def _states_gb(release: Release, box: TimeBox | None) -> float:
    """Return what a time box may take yet: the states that are kept, the next one, the cache."""
    if box is None:
        return 0.0
    # a state holds outputs of the build, which has no more of them than its own limit
    largest = min(release.time_box.max_gb, release.limits.disk_gb)
    present = sum(report.size for report in StateFolder(box.folder).report(check=False))
    return max((release.time_box.keep + 2) * largest - present / 1e9, largest)


def refuse(findings: Iterable[HostFinding]) -> None:
    """Raise one error for all findings that stop a build, where there are any.

    Raises:
        UsageError: there are.
    """
    stopping = [finding for finding in findings if finding.stops_the_build]
    if stopping:
        codes = " ".join(f"--ignore {finding.code}" for finding in stopping)
        many = f"{len(stopping)} findings speak" if len(stopping) > 1 else "one finding speaks"
        raise UsageError(
            f"{many} against this build",
            detail="\n".join(finding.sentence for finding in stopping),
            hint=f"`{codes}` goes on in spite of them",
        )


def awaits_patched_tree(findings: Iterable[HostFinding]) -> bool:
    """Whether something could not be told that the patched tree will tell."""
    of_tree = (finding for finding in findings if finding.code in _OF_THE_TREE)
    return any(finding.availability is Availability.NOT_LOOKED_AT for finding in of_tree)


def exit_code(findings: Iterable[HostFinding]) -> ExitCode:
    """Return the exit code that findings mean: a config or a machine that does not fit is 2."""
    stopped = any(finding.stops_the_build for finding in findings)
    return ExitCode.USAGE if stopped else ExitCode.DONE


def refuse_unknown(ignore: Iterable[str], findings: Iterable[HostFinding]) -> None:
    """Refuse to ignore what is no finding.

    Raises:
        UsageError: a code is none of these findings'.
    """
    known = sorted({finding.code for finding in findings})
    for code in sorted({*ignore} - {*known}):
        near = difflib.get_close_matches(code, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(known)}"
        raise UsageError(f"there is no finding `{code}` to ignore", hint=hint)


def ignoring(findings: Iterable[HostFinding], ignore: Collection[str]) -> tuple[HostFinding, ...]:
    """Return findings, those of some codes marked as ignored."""
    return tuple(
        dataclasses.replace(finding, ignored=finding.code in ignore) for finding in findings
    )


def _credentials(release: Release) -> Iterator[HostFinding]:
    """Look whether the variables are set that hold headers of a cache or a farm."""
    used = [section for section in (release.cache, release.remote) if section.address]
    variables = sorted({name for section in used for name in section.headers.values()})
    if not variables:
        return
    what, absent = (
        "headers of cache and farm",
        [name for name in variables if name not in os.environ],
    )
    if not absent:
        yield HostFinding("headers", what, Availability.FOUND, True, ", ".join(variables))
        return
    value, remedy = f"not set: {', '.join(absent)}", f"export {absent[0]}=…"
    yield HostFinding("headers", what, Availability.MISSING, True, value, remedy)


def _disk_cache(workspace: Workspace) -> Iterator[HostFinding]:
    """Look whether the config's disk cache can be written: Bazel says only that it is unable."""
    folder = workspace.disk_cache
    if folder is None:
        return
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    finding = functools.partial(HostFinding, "disk-cache", f"the disk cache {folder}")
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        yield finding(Availability.FOUND, True)
        return
    value = f"{nearest} {'cannot be written' if nearest.is_dir() else 'is no folder'}"
    remedy = "name another folder by `cache.disk`"
    yield finding(Availability.DOES_NOT_FIT, True, value, remedy)


def _queue(workspace: Workspace) -> Iterator[HostFinding]:
    """Look whether the queue is there, whole, and of the config's upstream."""
    if workspace.queue is None:
        return
    what = f"patches/{workspace.release.queue}"
    try:
        queue = storage.load(workspace.queue)
        materialise.refuse_unpinned(queue.picks, queue.folder)
    except MacosBuildError as error:
        is_there = workspace.queue.is_dir()
        state = Availability.DOES_NOT_FIT if is_there else Availability.MISSING
        yield HostFinding("queue", what, state, True, str(error.what), error.hint, error.where)
        return
    upstream = workspace.release.upstream.url
    # Its patches may apply to another fork's tree by chance, and would then be built.
    if queue.base.upstream != upstream:
        value = f"its base is of {queue.base.upstream}, and the config's upstream is {upstream}"
        remedy = "name a queue of that upstream in the config"
        yield HostFinding("queue", what, Availability.DOES_NOT_FIT, True, value, remedy)
        return
    value = f"{len(queue.names)} patches on {queue.base.ref}"
    yield HostFinding("queue", what, Availability.FOUND, True, value)


def _of_upstream(workspace: Workspace, patched: PatchResult | None) -> Iterator[HostFinding]:
    """Hold the config against upstream's own files, and its known faults against this machine."""
    release = workspace.release
    # Of the miniature nothing is asked: it comes with this package, whose tests hold it.
    if miniature.is_source_of(workspace):
        return
    named, flags = None, None
    try:
        tree = _tree(workspace) if patched is None else _patched_tree(workspace, patched)
    except MacosBuildError as error:
        state = Availability.NOT_LOOKED_AT
        yield HostFinding(_UPSTREAM, "upstream's files", state, True, error.what)
    else:
        may_change = patched is None and release.queue is not None
        for lack in (_configs(release, tree), _target(release, tree)):
            yield _not_judged_yet(lack, release) if may_change else lack
        yield from (_python(release, tree), _bounds(release, tree))
        named, flags = tree.bazel_version.value, _x86_64_flags(release, tree)
    wanted = versions.parse(release.bazel.version or named or "")
    yield _bazel(wanted)
    yield from hazards.examine(release, wanted, flags)


def _patched_tree(workspace: Workspace, patched: PatchResult) -> TensorflowTree:
    with objects.reading(Git(workspace.root / patched.git_dir)) as reader:
        return trees.read(sources.of_tree(reader, patched.tree))


def _tree(workspace: Workspace) -> TensorflowTree:
    """Read the upstream commit's files as far as they are here.

    Raises:
        UsageError: there is no mirror yet, or it has not got the commit or the files' contents.
    """
    upstream, mirrors = workspace.release.upstream, workspace.mirrors
    # Through a view that knows no server: in a partial clone git's cat-file ends at the first
    # content that is not here and that it may not fetch.
    here = mirror.peek(upstream.url, mirrors, upstream.ref)
    if here is None:
        raise UsageError(f"no {upstream.ref} of {upstream.url} is here yet")
    git, commit = here
    try:
        with objects.reading(git) as reader:
            return trees.read(sources.of_commit(reader, commit))
    except ObjectMissing:
        raise UsageError(f"the files of {upstream.ref} are not here yet") from None


def _configs(release: Release, tree: TensorflowTree) -> HostFinding:
    """Look for the `--config`s of a release in upstream's .bazelrc."""
    what = "--config names"
    rc = tree.rc.value
    if rc is None:
        state = Availability.NOT_LOOKED_AT
        return HostFinding("upstream-configs", what, state, True, tree.rc.reason)
    faults = []
    for name in _config_names(release):
        try:
            rc.flags_of(name)
        except BadConfig as fault:
            if fault.undefined != _BY_CONFIGURE:
                faults.append(str(fault))
    return _held("upstream-configs", what, "; ".join(faults), ".bazelrc")


def _config_names(release: Release) -> list[str]:
    """Return the names of all `--config`s that a release gives Bazel, sorted."""
    halves = release.architectures
    own = [halves.arm64.bazel_config, halves.x86_64.bazel_config]
    # Without a host build nobody gives Bazel the host's config, and it may be anything.
    own += [release.host.bazel_config] if release.host_build else []
    return sorted({*release.bazel.configs, *filter(None, own)})


def _target(release: Release, tree: TensorflowTree) -> HostFinding:
    """Look for the target of a release in the BUILD file of the package that makes the wheel."""
    what, label = "the wheel's target", release.bazel.target
    package, _, name = label.removeprefix("//").partition(":")
    # Of other packages no BUILD file was read.
    targets = tree.targets.value
    if package != trees.PACKAGE or targets is None:
        reason = tree.targets.reason or f"{label} is in another package than {trees.PACKAGE}"
        return HostFinding("upstream-target", what, Availability.NOT_LOOKED_AT, True, reason)
    is_there = name in {target.name for target in targets}
    others = ", ".join(f":{target.name}" for target in tree.wheel_targets)
    fault = "" if is_there else f"{label} is not named there; {others or 'no wheel target'} is"
    return _held("upstream-target", what, fault, tree.targets.where)


def _held(code: str, what: str, fault: str, where: str) -> HostFinding:
    """Return a finding about upstream's tree."""
    if not fault:
        return HostFinding(code, what, Availability.FOUND, True, known_from=where)
    remedy = "change the config, or bring it by a patch"
    return HostFinding(code, what, Availability.DOES_NOT_FIT, True, fault, remedy, where)


def _not_judged_yet(finding: HostFinding, release: Release) -> HostFinding:
    """Return what a finding is worth before the queue's patches are in the tree."""
    if finding.availability is not Availability.DOES_NOT_FIT:
        return finding
    value = f"{finding.value}; a patch of patches/{release.queue} may bring it"
    state = Availability.NOT_LOOKED_AT
    return dataclasses.replace(finding, availability=state, value=value, remedy="")


def _python(release: Release, tree: TensorflowTree) -> HostFinding:
    """Hold the Python of a release against the ones that upstream's wheel is for."""
    version = platform.python_version() if release.python == "host" else release.python
    minor = ".".join(version.split(".")[:2])
    finding = functools.partial(HostFinding, "upstream-python", "a Python that upstream takes")
    locked, requires = tree.locked_pythons, tree.python_requires
    # Before python_requires, which is wider: python_repo.bzl ends at a Python without a lock file.
    if locked.value is not None and minor not in locked.value:
        value = f"Python {minor} has no locked requirements: {', '.join(locked.value)} have"
        return finding(Availability.DOES_NOT_FIT, True, value, known_from=locked.where)
    if requires.value is None:
        return finding(Availability.NOT_LOOKED_AT, True, requires.reason)
    value = f"Python {version}, and upstream says {requires.value}"
    state = Availability.FOUND if _fits(version, requires.value) else Availability.DOES_NOT_FIT
    return finding(state, True, value, known_from=requires.where)


def _bounds(release: Release, tree: TensorflowTree) -> HostFinding:
    """Hold the release's Bazel against the ones that upstream's configure takes."""
    finding = functools.partial(HostFinding, "upstream-bazel", "a Bazel that upstream takes")
    named, oldest, newest = tree.bazel_version, tree.oldest_bazel, tree.newest_bazel
    wanted = release.bazel.version or named.value
    if wanted is None:
        return finding(Availability.NOT_LOOKED_AT, True, named.reason)
    value = f"{wanted}, and upstream names {named.value or 'none'}"
    # configure refuses a Bazel outside of its bounds, but only after the clone and the patches.
    if oldest.value is None or newest.value is None:
        return finding(Availability.FOUND, True, value, known_from=named.where)
    low, version, high = map(versions.parse, (oldest.value, wanted, newest.value))
    if low <= version <= high:
        return finding(Availability.FOUND, True, value, known_from=named.where)
    value = f"{wanted}, and configure takes {oldest.value} to {newest.value}"
    remedy = "change bazel.version in the config"
    return finding(Availability.DOES_NOT_FIT, True, value, remedy, oldest.where)


def _fits(version: str, requires: str) -> bool:
    # As pip holds it: 3.14.0rc1 is a Python 3.14 (pip/_internal/utils/packaging.py).
    release = version_numbers.Version(version).base_version
    try:
        return release in SpecifierSet(requires)
    except InvalidSpecifier:
        return False


def _bazel(wanted: Version) -> HostFinding:
    """Look whether the Bazel that builds the release is to be had."""
    what, state = "the release's Bazel", Availability.NOT_LOOKED_AT
    if not wanted:
        value = "neither the config nor a tree that is here names its version"
        return HostFinding("bazel-version", what, state, True, value)
    present = [program for program in tools.candidates(tools.TOOLS["bazel"]) if program.will_do]
    if any(versions.is_bazelisk(program.path) for program in present):
        value = f"bazelisk brings {versions.shown(wanted)}"
        return HostFinding("bazel-version", what, Availability.FOUND, True, value)
    seen = present[0].version if present else ()
    if not seen:
        return HostFinding("bazel-version", what, state, True, "no Bazel here tells its version")
    value = f"{versions.shown(seen)} is here, {versions.shown(wanted)} builds it"
    if seen == wanted:
        return HostFinding("bazel-version", what, Availability.FOUND, True, value)
    remedy = "install bazelisk in its place, which brings the version that is asked for"
    return HostFinding("bazel-version", what, Availability.DOES_NOT_FIT, True, value, remedy)


def _x86_64_flags(release: Release, tree: TensorflowTree) -> tuple[str, ...] | None:
    """Return all flags for the x86_64 half, upstream's and the config's."""
    half = release.architectures.x86_64
    names = [*release.bazel.configs, *([half.bazel_config] if half.bazel_config else [])]
    if tree.rc.value is None:
        return None
    try:
        return (*tree.rc.value.flags(names), *release.bazel.flags, *half.flags)
    except BadConfig:
        return None
