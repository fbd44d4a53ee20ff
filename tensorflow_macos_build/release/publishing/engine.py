"""The loop: look, plan, do the first step, and again, until nothing is left to do."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from typing_extensions import assert_never

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import BudgetReached, Interrupted, UsageError, WorkFailed
from tensorflow_macos_build.release.publishing import plan
from tensorflow_macos_build.release.publishing.answers import Passing
from tensorflow_macos_build.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Future

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.release.prepared import PreparedFolder
    from tensorflow_macos_build.release.publishing.door import Door

_AGAIN = "run the same command again: what is there is kept, and nothing is published by halves"
_MOST_STEPS = 10_000
"""Steps after which something is wrong that no further step mends."""

_MOST_UPLOADS = 20
"""How often a file is uploaded in one run: as often as patience lasts, and no more."""

_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Patience:
    """How long one waits for a destination.

    Attributes:
        retry: how often, and after which pauses, what failed without progress is tried again.
        longest: seconds of a wait that a server may ask for; for more, the task ends with 75.
        wait: waits so many seconds; a test need not.
    """

    retry: Retry = field(default_factory=lambda: Retry(attempts=8, longest_pause=60.0))
    longest: float = 900.0
    wait: Callable[[float], object] = threading.Event().wait


@dataclass(frozen=True)
class Outcome:
    """A release that is published.

    Attributes:
        present: what the destination has, as it says itself at the end.
        done: how many actions it took; 0: all was there already.
    """

    present: plan.Present
    done: int


def publish(
    release: PreparedFolder,
    door: Door,
    patience: Patience | None = None,
    ticker: Ticker = silent,
    note: Callable[[str], object] = lambda _: None,
) -> Outcome:
    """Publish a release, all of it or nothing; a second run does nothing.

    Raises:
        UsageError: the destination does not take such files, or has somebody's draft.
        WorkFailed: it fails for good, or again and again; what it has is kept.
        BudgetReached: the server asks for a longer wait than one has patience for.
    """
    if words := plan.faults(release, door.limits):
        raise UsageError("the destination does not take this release", detail="\n".join(words))
    return _Loop(release, door, patience or Patience(), ticker, note).run()


@dataclass
class _Loop:
    release: PreparedFolder
    door: Door
    patience: Patience
    ticker: Ticker
    note: Callable[[str], object]
    done: int = 0
    uploads: Counter[str] = field(default_factory=Counter)

    def run(self) -> Outcome:
        pauses, before = self.patience.retry.pauses(), self.done
        for _ in range(_MOST_STEPS):
            try:
                present = self.door.look()
                todo = plan.actions(self.release, present)
                if not todo:
                    return Outcome(present, self.done)
                self._do(plan.phase(todo))
            except Passing as error:
                if self.done > before:  # something was achieved, so patience begins anew
                    pauses, before = self.patience.retry.pauses(), self.done
                self._wait(error, next(pauses, None))
        raise WorkFailed("the destination keeps changing", hint=_AGAIN)

    def _wait(self, error: Passing, pause: float | None) -> None:
        if pause is None:
            raise WorkFailed(error.what, where=error.where, hint=_AGAIN) from None
        seconds = max(pause, error.wait or 0.0)
        if seconds > self.patience.longest:
            raise BudgetReached(
                f"the server asks to wait {seconds:.0f} seconds ({error.what})", hint=_AGAIN
            ) from None
        self.note(f"{error.what}; going on in {seconds:.0f} s")
        self.patience.wait(seconds)

    def _do(self, actions: Sequence[plan.Action]) -> None:
        if isinstance(actions[0], plan.Upload):
            self._upload([cast("plan.Upload", action) for action in actions])
        else:
            for action in actions:
                self._do_one(action)
                self.done += 1

    def _do_one(self, action: plan.Action) -> None:
        match action:
            case plan.CreateDraft():
                self.door.create(self.release)
            case plan.DescribeDraft(draft):
                self.door.describe(draft, self.release)
            case plan.DeleteDraft(draft):
                self.door.delete(draft)
            case plan.DeleteFile(draft, file, _):
                self.door.delete_file(draft, file)
            case plan.Publish(draft):
                self.ticker(0, None, "publishing")
                self.door.publish(draft)
            case plan.Upload(draft, new):
                self.door.upload(draft, new, lambda _: None)
            case _:
                assert_never(action)

    def _upload(self, uploads: Sequence[plan.Upload]) -> None:
        """Upload in parallel; where one fails for a while, the others go on."""
        sent = _Sent(self.ticker, sum(upload.file.size for upload in uploads))
        passing: list[Passing] = []
        with ThreadPoolExecutor(self.door.at_once) as pool:
            running = {pool.submit(self._upload_one, upload, sent) for upload in uploads}
            try:
                for upload in as_completed(running):
                    if (error := self._passing(upload)) is not None:
                        passing.append(error)
                        if error.wait is not None:  # the server wants fewer requests: begin none
                            _cancel(running)
            except BaseException:
                # Leaving the pool waits for its threads: without this they would go on to the end.
                sent.stop()
                _cancel(running)
                raise
        if passing:
            raise max(passing, key=lambda error: error.wait or 0.0)

    def _upload_one(self, upload: plan.Upload, sent: _Sent) -> None:
        self.uploads[upload.file.name] += 1
        if self.uploads[upload.file.name] > _MOST_UPLOADS:
            raise WorkFailed(
                f"the destination has taken it {_MOST_UPLOADS} times, and has not got it",
                where=upload.file.name,
                hint="it may have another name or other bytes there",
            )
        self.door.upload(upload.draft, upload.file, sent.of(upload.file.name))

    def _passing(self, upload: Future[None]) -> Passing | None:
        """Return why an upload failed for a while; None where it was done, or not begun."""
        if upload.cancelled():
            return None
        try:
            upload.result()
        except Passing as error:
            return error
        self.done += 1
        return None


def _cancel(running: Iterable[Future[None]]) -> None:
    """Keep uploads that have not begun from beginning; those that are under way go on."""
    for upload in running:
        upload.cancel()


class _Sent:
    """Bytes that went out, from all threads, and whether they are to stop."""

    def __init__(self, ticker: Ticker, total: int) -> None:
        self._ticker, self._total, self._done = ticker, total, 0
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def of(self, name: str) -> Callable[[int], None]:
        """Return what is told of the bytes of one file."""

        def add(size: int) -> None:
            if self._is_over.is_set():
                raise Interrupted("stopped, for another file could not be uploaded")
            with self._lock:
                self._done += size
                done, total = self._done // _MEGABYTE, self._total // _MEGABYTE
                self._ticker(done, total or None, name, unit="MB")

        return add

    def stop(self) -> None:
        """Make the uploads that are under way end at their next bytes."""
        self._is_over.set()
