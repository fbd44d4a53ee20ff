"""release.verify: what anyone can see of a published release, each fault by its own message.

Each check believes only what those before it have found right: files are compared with SHA256SUMS,
that with release.json, both with what wheels, bill of materials, provenance and attestations say of
themselves. So a file that was changed together with some of the documents is still told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import MacosBuildError, UsageError
from tensorflow_macos_build.pipeline.releasing.digests import FolderDigests
from tensorflow_macos_build.release import attestation, checksums, model, provenance, sbom
from tensorflow_macos_build.release.model import (
    ATTESTATION_SUFFIX,
    MANIFEST,
    MOST,
    PROVENANCE,
    SUMS,
    FileKind,
    Manifest,
    ReleaseFile,
)
from tensorflow_macos_build.wheels.sbom import bill_of
from tensorflow_macos_build.wheels.verify import Code, Severity, VerifyOptions, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker

ISSUER = "https://token.actions.githubusercontent.com"
"""Who vouches for workflows of GitHub Actions."""

_SHOWN = 20
_DAMAGE = ("archive", "member", "record", "dist-info")
"""How the codes of findings begin that no config accepts: the wheel is not what was built."""


class CheckState(Enum):
    """What a check of a release came to."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ReleaseCheck:
    """One thing that was looked at.

    Attributes:
        name: `checksums`, `manifest`, `wheel`, `sbom`, `provenance`, `attestation` or `index`.
        state: what it came to.
        file: what it is about.
        words: what was seen.
    """

    name: str
    state: CheckState
    file: str
    words: str


@dataclass(frozen=True)
class CheckedRelease:
    """A published release that was looked at.

    Attributes:
        folder: where it lies.
        manifest: what release.json says; None where that cannot be read.
        checks: what was looked at, in order.
    """

    folder: Path
    manifest: Manifest | None
    checks: tuple[ReleaseCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is broken."""
        return all(check.state is not CheckState.BROKEN for check in self.checks)


@dataclass(frozen=True)
class TrustedSigner:
    """Who must have signed.

    Attributes:
        identity: as certificates name them; "" where nobody is named.
        issuer: who vouches for the identity.
        is_required: whether a wheel without a proven signature is broken.
        is_offline: whether Sigstore's keys are those that its package has; none are fetched.
    """

    identity: str = ""
    issuer: str = ISSUER
    is_required: bool = False
    is_offline: bool = False


def check(
    folder: Path,
    signer: TrustedSigner,
    ticker: Ticker = silent,
    more: Callable[[Manifest, FolderDigests], Iterator[ReleaseCheck]] = lambda *_: iter(()),
) -> CheckedRelease:
    """Look at a release's folder.

    Args:
        folder: where it lies.
        signer: who must have signed its attestations.
        ticker: told what is looked at.
        more: further checks, such as of an index that offers its wheels.

    Raises:
        UsageError: it is no release's folder.
    """
    if not (folder / SUMS).is_file() or not (folder / MANIFEST).is_file():
        raise UsageError(f"it has no {SUMS} and no {MANIFEST}", where=str(folder))
    manifest, faults = _documents(folder)
    digests = FolderDigests(folder)
    checks = [*faults, *_checksums(digests, ticker)]
    if manifest is not None:
        for look in (_manifest, _wheels, _bills, _provenance):
            ticker(0, None, look.__name__.strip("_"))
            checks += look(digests, manifest)
        checks += _attestations(digests, manifest, signer)
        checks += more(manifest, digests)
    return CheckedRelease(folder, manifest, tuple(checks))


def _holds(name: str, file: str, words: str) -> ReleaseCheck:
    return ReleaseCheck(name, CheckState.HOLDS, file, words)


def _broken(name: str, file: str, words: str) -> ReleaseCheck:
    return ReleaseCheck(name, CheckState.BROKEN, file, words)


def _documents(folder: Path) -> tuple[Manifest | None, list[ReleaseCheck]]:
    try:
        return model.parse(files.read_small(folder / MANIFEST, MOST)), []
    except MacosBuildError as error:
        return None, [_broken("manifest", MANIFEST, error.what)]


def _checksums(digests: FolderDigests, ticker: Ticker) -> Iterator[ReleaseCheck]:
    try:
        text = files.read_small_text(digests.folder / SUMS, MOST, where=SUMS)
        sums = checksums.parse_sums(text)
    except MacosBuildError as error:
        yield _broken("checksums", SUMS, error.what)
        return
    faults = 0
    for name, digest in sums.items():
        ticker(0, None, name)
        fault = _fault(digests.of(name), digest)
        if fault:
            faults += 1
            yield _broken("checksums", name, fault)
    if not faults:
        yield _holds("checksums", SUMS, f"{len(sums)} files are those that it names")


def _fault(seen: str, stated: str) -> str:
    if not seen:
        return "the file is missing"
    return "" if seen == stated else f"it is not the file that {SUMS} names"


def _manifest(digests: FolderDigests, manifest: Manifest) -> Iterator[ReleaseCheck]:
    stated = {file.name: file.sha256 for file in manifest.files}
    faults = [
        _broken("manifest", name, fault.replace(SUMS, MANIFEST))
        for name, digest in stated.items()
        if (fault := _fault(digests.of(name), digest))
    ]
    faults += [
        _broken("manifest", file.name, f"it has not the {file.size} bytes that {MANIFEST} says")
        for file in _there(digests.folder, manifest, *FileKind)
        if (digests.folder / file.name).stat().st_size != file.size
    ]
    names = {path.name for path in digests.folder.iterdir()}
    there = {name for name in names if not name.endswith(ATTESTATION_SUFFIX)}
    faults += [
        _broken("manifest", name, f"{MANIFEST} does not list it")
        for name in sorted(there - set(stated) - {MANIFEST, SUMS})
    ]
    yield from faults
    if not faults:
        yield _holds("manifest", MANIFEST, f"{len(stated)} files are those that it lists")


def _there(folder: Path, manifest: Manifest, *kinds: FileKind) -> Iterator[ReleaseFile]:
    """Yield the files of some kinds that are there."""
    return (file for file in manifest.of_kind(*kinds) if (folder / file.name).is_file())


def _wheels(digests: FolderDigests, manifest: Manifest) -> Iterator[ReleaseCheck]:
    folder = digests.folder
    for file in _there(folder, manifest, FileKind.WHEEL):
        verification = verify(folder / file.name, VerifyOptions(allow=_accepted(folder)))
        errors = [row for row in verification.findings if row.severity is Severity.ERROR]
        for error in errors[:_SHOWN]:
            words = f"{error.code.slug}: {error.message}"
            yield _broken("wheel", f"{file.name}: {error.file}", words)
        if not errors:
            words = f"RECORD and contents hold: {verification.members} files"
            yield _holds("wheel", file.name, words)


def _accepted(folder: Path) -> tuple[str, ...]:
    """Return the findings that the release's own config accepts; none about damage."""
    try:
        statement = provenance.parse(files.read_small(folder / PROVENANCE, MOST))
    except (MacosBuildError, OSError):
        return ()
    verified = statement.predicate.definition.parameters.get("verify")
    allow = verified.get("allow") if isinstance(verified, dict) else None
    known = {code.slug for code in Code}
    return tuple(
        entry
        for entry in (allow if isinstance(allow, list) else ())
        if isinstance(entry, str)
        and (code := entry.partition(":")[0]) in known
        and not code.startswith(_DAMAGE)
    )


def _bills(digests: FolderDigests, manifest: Manifest) -> Iterator[ReleaseCheck]:
    folder = digests.folder
    for bill in _there(folder, manifest, FileKind.SBOM):
        try:
            beside = files.read_small(folder / bill.name, MOST)
        except MacosBuildError as error:
            yield _broken("sbom", bill.name, error.what)
            continue
        for wheel in _there(folder, manifest, FileKind.WHEEL):
            inside = _inside(folder / wheel.name)
            if inside != beside:
                words = f"it is not the bill of materials that {wheel.name} has inside"
                yield _broken("sbom", bill.name, words)
            else:
                yield _holds("sbom", bill.name, "it is the one inside the wheel")


def _inside(wheel: Path) -> bytes | None:
    try:
        return bill_of(wheel, sbom.NAME, MOST)
    except MacosBuildError:
        return None  # what is wrong with the wheel, the check of wheels says


def _provenance(digests: FolderDigests, manifest: Manifest) -> Iterator[ReleaseCheck]:
    try:
        statement = provenance.parse(files.read_small(digests.folder / PROVENANCE, MOST))
    except (MacosBuildError, OSError) as error:
        yield _broken("provenance", PROVENANCE, getattr(error, "what", "the file is missing"))
        return
    faults = list(_provenance_faults(digests, manifest, statement))
    for words in faults:
        yield _broken("provenance", PROVENANCE, words)
    if not faults:
        yield _holds("provenance", PROVENANCE, f"built of {manifest.upstream['commit']}")


def _provenance_faults(
    digests: FolderDigests, manifest: Manifest, statement: provenance.Statement
) -> Iterator[str]:
    subjects = statement.subjects()
    for wheel in _there(digests.folder, manifest, FileKind.WHEEL, FileKind.PLUGIN):
        if wheel.name not in subjects:
            yield f"it says nothing of {wheel.name}"
        elif subjects[wheel.name] != digests.of(wheel.name):
            yield f"it is of another {wheel.name}"
    commits = {row.digest.get("gitCommit") for row in statement.predicate.definition.dependencies}
    if manifest.upstream["commit"] not in commits:
        yield f"it is of another commit than {MANIFEST} says"
    name = statement.predicate.definition.parameters.get("name")
    if name != manifest.release:
        yield f"it is of the release {name}, and {MANIFEST} of {manifest.release}"


def _attestations(
    digests: FolderDigests, manifest: Manifest, signer: TrustedSigner
) -> Iterator[ReleaseCheck]:
    folder = digests.folder
    paths = sorted(folder.glob(f"*{ATTESTATION_SUFFIX}"))
    wheels = {
        file.name: digests.of(file.name)
        for file in _there(folder, manifest, FileKind.WHEEL, FileKind.PLUGIN)
    }
    state = CheckState.BROKEN if signer.is_required else CheckState.UNKNOWN
    signed: set[str] = set()
    for path in paths:
        try:
            bundles = attestation.parse(files.read_small(path, MOST), path.name)
        except MacosBuildError as error:
            yield _broken("attestation", path.name, error.what)
            continue
        for bundle in bundles:
            signed |= {name for name, own in bundle.subjects.items() if own == wheels.get(name)}
            yield from _attested(path.name, bundle, wheels, signer)
    for name in sorted(set(wheels) - signed):
        yield ReleaseCheck("attestation", state, name, "no attestation is of this wheel")


def _attested(
    file: str, bundle: attestation.Attestation, wheels: dict[str, str], signer: TrustedSigner
) -> Iterator[ReleaseCheck]:
    for name, digest in bundle.subjects.items():
        if wheels.get(name, digest) != digest:
            yield _broken("attestation", file, f"it is of another {name}")
    seen = attestation.signature(bundle, signer.identity, signer.issuer, offline=signer.is_offline)
    unknown = CheckState.BROKEN if signer.is_required else CheckState.UNKNOWN
    states = {True: CheckState.HOLDS, False: CheckState.BROKEN, None: unknown}
    words = seen.words if seen.holds else f"the signature was not proven: {seen.words}"
    yield ReleaseCheck("attestation", states[seen.holds], file, words)
