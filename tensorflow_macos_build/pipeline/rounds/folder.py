"""The folder of saved states: numbered, immutable, the newest good one counts."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, locks
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline.rounds import state_file
from tensorflow_macos_build.pipeline.rounds.members import BadState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.bazel.disk_cache import DiskCache
    from tensorflow_macos_build.locks import LockHolder
    from tensorflow_macos_build.pipeline.rounds.model import State

# As StateFolder.path writes it: `state-00007.tar` is nobody's, for it would be the seventh twice.
_NAME = re.compile(r"state-([0-9]{4}|[1-9][0-9]{4,8})\.tar")


@dataclass(frozen=True)
class StateReport:
    """What can be said of a saved state.

    Attributes:
        number: its number.
        path: its file.
        size: the file's size in bytes.
        fault: why it cannot be used; "" where nothing is known against it.
        state: what it holds; None: it cannot be used.
    """

    number: int
    path: Path
    size: int
    fault: str
    state: State | None


@dataclass(frozen=True)
class StateFolder:
    """A folder of states of one release."""

    folder: Path

    def path(self, number: int) -> Path:
        """Return the file of a state."""
        return self.folder / f"state-{number:04}.tar"

    def numbers(self) -> list[int]:
        """Return the numbers of the states that are there, good or bad, the newest first."""
        try:
            matches = [_NAME.fullmatch(path.name) for path in self.folder.iterdir()]
        except FileNotFoundError:
            return []
        return sorted((int(match[1]) for match in matches if match), reverse=True)

    @contextlib.contextmanager
    def held(self, command: str, busy: Callable[[LockHolder | None], object]) -> Iterator[None]:
        """Hold the folder for one writer; `busy` is called before a wait for another one."""
        with locks.held_openly(self.folder / ".lock", command, busy):
            yield

    def load(
        self,
        release: str,
        toolchain: Mapping[str, str],
        cache: DiskCache,
        note: Callable[[str], object],
    ) -> tuple[State | None, set[int]]:
        """Put the newest usable state into a disk cache.

        `note` is told of each that is passed over, and why.

        Returns:
            The state, None where none is usable, and the numbers of those passed over.

        Raises:
            UsageError: the newest sound one is of another release.
        """
        bad = set[int]()
        for number in self.numbers():
            path = self.path(number)
            try:
                state = state_file.read_head(path)
                self._refuse_other(state, release)
                if why := _difference(state.toolchain, toolchain):
                    raise BadState(f"it was made with other tools ({why})", where=path.name)
                state_file.restore(path, cache)
            except BadState as error:
                note(f"warning: {error}; the state before it counts")
                bad.add(number)
            else:
                return state, bad
        return None, bad

    def report(self, *, check: bool) -> list[StateReport]:
        """Return what is there, the newest first; with `check`, all bytes of it are read."""
        return [self._report(number, check=check) for number in self.numbers()]

    def _report(self, number: int, *, check: bool) -> StateReport:
        path = self.path(number)
        size = path.lstat().st_size
        try:
            state = state_file.check(path) if check else state_file.read_head(path)
        except BadState as error:
            return StateReport(number, path, size, error.what, None)
        return StateReport(number, path, size, "", state)

    def _refuse_other(self, state: State, release: str) -> None:
        if state.release != release:
            raise UsageError(
                f"the states in it are of the release {state.release}, not of {release}",
                where=str(self.folder),
                hint="give each release a folder of its own: --state-dir",
            )

    def save(self, state: State, cache: DiskCache) -> Path:
        """Write a state, read it back, and put it in place; return its file.

        Raises:
            BadState: the cache does not hold what the state says, or what was read back is not
                what was written. The other states are as they were.
            OSError: it cannot be written, as on a full disk.
        """
        target = self.path(state.number)
        with files.atomic_path(target) as unfinished:
            state_file.write(unfinished, state, cache)
            if state_file.check(unfinished) != state:
                raise BadState("what was read back is another state", where=target.name)
            unfinished.chmod(0o444)
        return target

    def forget(self, kept: int, bad: Collection[int]) -> None:
        """Delete all but so many of the newest states; those known as bad are deleted in any case.

        Call it when the newest one has been read back.
        """
        good = [number for number in self.numbers() if number not in bad]
        for number in {*good[kept:], *bad}:
            path = self.path(number)
            # A folder of that name is somebody's, and must not fail a build whose state is saved.
            if not path.is_dir():
                path.unlink(missing_ok=True)


def _difference(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return ", ".join(f"{name}: {old.get(name)}, here {new.get(name)}" for name in names)
