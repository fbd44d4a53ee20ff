"""Fetching the saved states of a staged build from the artifacts of earlier rounds.

The newest is fetched and the one before, for `build` passes over a state that is damaged and takes
the former. An artifact that does not come whole is passed over here.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, temporary
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.release.publishing.answers import Passing
from tensorflow_macos_build.release.publishing.http import Refused, TooLong

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.release.hosted.actions import Artifact, Repository

_STATE = re.compile(r"state-[0-9]{4,9}\.tar")
_LARGEST = 20 << 30
"""Bytes of an artifact beyond which it is passed over; `time_box.max_gb` is 8 by default."""

_KEPT = 2
_CHUNK = 1 << 20


class _NotWhole(WorkFailed):
    """An artifact that did not come as it was uploaded."""


@dataclass(frozen=True)
class FetchedStates:
    """What was fetched.

    Attributes:
        states: file names in the folder, the newest first.
        passed_over: of artifacts that were not taken, their run and why.
    """

    states: tuple[str, ...]
    passed_over: tuple[str, ...]


@dataclass(frozen=True)
class StatesRequest:
    """Which states are wanted.

    Attributes:
        part: an architecture with a Python.
        branch: the branch or tag of the rounds.
        since: the run from which on they count; 0: all do.
        folder: where they go.
    """

    part: str
    branch: str
    since: int
    folder: Path


def fetch(repository: Repository, request: StatesRequest, ticker: Ticker = silent) -> FetchedStates:
    """Fetch the newest states of a part into a folder; there may be none.

    Raises:
        WorkFailed: the API does not answer.
    """
    offered = [
        artifact
        for artifact in repository.artifacts(f"state-{request.part}")
        if artifact.branch == request.branch and artifact.run >= request.since
    ]
    request.folder.mkdir(parents=True, exist_ok=True)
    taken: list[str] = []
    passed: list[str] = []
    for artifact in offered:
        if len(taken) == _KEPT:
            break
        try:
            taken.append(_fetched(repository, artifact, request.folder, ticker))
        except (Passing, Refused, TooLong, _NotWhole) as error:
            passed.append(f"run {artifact.run}: {error.what}")
    return FetchedStates(tuple(taken), tuple(passed))


def _fetched(repository: Repository, artifact: Artifact, folder: Path, ticker: Ticker) -> str:
    if artifact.size > _LARGEST:
        raise _NotWhole(f"it is larger than {_LARGEST} bytes")
    with temporary.folder_in(folder) as holder:
        archive = holder / "artifact.zip"
        digest = _download(repository, artifact, archive, ticker)
        if artifact.digest and digest != artifact.digest:
            raise _NotWhole("its bytes are not those that were uploaded")
        return _unpacked(archive, holder, folder)


def _download(repository: Repository, artifact: Artifact, target: Path, ticker: Ticker) -> str:
    digest = hashlib.sha256()
    with target.open("wb") as stream:
        for piece in repository.stream(artifact.url, _LARGEST):
            digest.update(piece)
            stream.write(piece)
            ticker(stream.tell(), artifact.size, "state")
    return digest.hexdigest()


def _unpacked(archive: Path, holder: Path, folder: Path) -> str:
    """Put the one state of an artifact into the folder; return its name."""
    try:
        with zipfile.ZipFile(archive) as opened:
            states = [entry for entry in opened.infolist() if _STATE.fullmatch(entry.filename)]
            if len(states) != 1 or states[0].file_size > _LARGEST:
                raise _NotWhole("it does not hold one state")
            unfinished = holder / states[0].filename
            # A round that passed over a damaged state gives its own the same number; it is newer.
            if (folder / unfinished.name).exists():
                raise _NotWhole("a newer round has saved a state of that number")
            with opened.open(states[0]) as source, unfinished.open("wb") as target:
                while piece := source.read(_CHUNK):
                    target.write(piece)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise _NotWhole(f"it cannot be unpacked ({type(error).__name__})") from None
    files.flush(unfinished)
    unfinished.replace(folder / unfinished.name)
    return unfinished.name
