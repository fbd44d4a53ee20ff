"""The flags by which a task names a queue, where its upstream's mirrors are, and its work tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.queue import locate, opening
from tensorflow_macos_build.tasks.folders import MIRRORS

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.queue.opening import OpenedQueue


@dataclass(frozen=True)
class QueueFlags:
    """As they were typed; `work` is empty where the task chooses the folder."""

    queue: str
    cache: str
    work: str = ""

    @property
    def folder(self) -> Path:
        """The queue's folder."""
        return locate.queue_folder(self.queue)

    @property
    def name(self) -> str:
        """The queue as a command line takes it."""
        return locate.name_of(self.folder)

    @property
    def words(self) -> tuple[str, ...]:
        """The flags as a command line takes them, those that name what is the default left out."""
        work = ("--work", self.work) if self.work else ()
        cache = ("--cache", self.cache) if self.cache != MIRRORS else ()
        return ("--queue", self.name, *work, *cache)

    def open(self, ticker: Ticker, *, needs_base: bool = True) -> OpenedQueue:
        """Open the queue with its upstream, as `opening.open` does."""
        return opening.open(self.folder, Path(self.cache), ticker, needs_base=needs_base)
