"""A published release, got from where it is, looked at, and built again if that is asked for."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tensorflow_macos_build import temporary
from tensorflow_macos_build.pipeline.releasing import check, rebuild
from tensorflow_macos_build.pipeline.releasing.check import CheckState, ReleaseCheck
from tensorflow_macos_build.release import obtain
from tensorflow_macos_build.release.model import FileKind
from tensorflow_macos_build.release.publishing import destinations, github, offered, secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.pipeline.releasing.check import CheckedRelease, TrustedSigner
    from tensorflow_macos_build.pipeline.releasing.digests import FolderDigests
    from tensorflow_macos_build.pipeline.run import BuildObserver
    from tensorflow_macos_build.release.model import Manifest
    from tensorflow_macos_build.release.obtain import ReleaseAddress


@dataclass(frozen=True)
class CheckRequest:
    """What is to be looked at.

    Attributes:
        address: where the release is.
        signer: who must have signed it.
        index: an index that offers its wheels; "" for none.
        into: where what is fetched is kept; None: it is not.
        builder: who follows a build of it; None: it is not built again.
    """

    address: ReleaseAddress
    signer: TrustedSigner
    index: str = ""
    into: Path | None = None
    builder: BuildObserver | None = None


def address(text: str, repository: str, api: str) -> ReleaseAddress:
    """Return the address of a release that somebody means.

    Raises:
        UsageError: it is none.
    """
    base = destinations.checked_address(api)
    secret = secrets.find(github.TOKENS, urlsplit(base).netloc) if api or _is_github(text) else None
    return obtain.address(text, repository, base, secret)


def _is_github(text: str) -> bool:
    return "://" not in text or text.startswith("https://github.com/")


def look(
    request: CheckRequest, progress: Callable[[str], AbstractContextManager[Ticker]]
) -> CheckedRelease:
    """Return what is seen of a release.

    Raises:
        UsageError: it is none, or not there.
        WorkFailed: it cannot be had, or cannot be built again.
    """
    with contextlib.ExitStack() as stack:
        into = request.into or stack.enter_context(temporary.scratch("release"))
        into.mkdir(parents=True, exist_ok=True)
        with progress("verify") as ticker:
            folder = obtain.obtain(request.address, into, ticker)
            checked = check.check(
                folder,
                request.signer,
                ticker,
                lambda manifest, digests: _offered(request, manifest, digests),
            )
        if request.builder is None or checked.manifest is None:
            return checked
        # Only of one that is what it says: its provenance decides what is run.
        built = rebuild.rebuild(folder, checked.manifest, request.builder) if checked.ok else ()
        return replace(checked, checks=(*checked.checks, *built))


def _offered(
    request: CheckRequest, manifest: Manifest, digests: FolderDigests
) -> Iterator[ReleaseCheck]:
    if not request.index:
        return
    names = (file.name for file in manifest.of_kind(FileKind.WHEEL, FileKind.PLUGIN))
    wheels = {name: digests.of(name) for name in names if digests.of(name)}
    for name, fault in offered.faults(request.index, manifest.project, wheels).items():
        state = CheckState.BROKEN if fault else CheckState.HOLDS
        yield ReleaseCheck("index", state, name, fault or "the index offers just this file")
