"""The flags by which a task names a queue, where its upstream's mirrors are, and its work tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tensorflow_macos_build.patchqueue.queue import locate
from tensorflow_macos_build.patchqueue.queue.model import work_name
from tensorflow_macos_build.patchqueue.queue.opening import SessionRequest
from tensorflow_macos_build.tasks.folders import MIRRORS


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

    def session_request(self, works: str, onto: str = "") -> SessionRequest:
        """Return what opens work on the queue, in a folder of its own in `works` by default."""
        # By `work_name`, since queues of one name may lie in several folders.
        work = Path(self.work) if self.work else Path(works) / work_name(self.folder)
        revisions = (onto,) if onto else ()
        return SessionRequest(self.folder, Path(self.cache), work, self.words, revisions)
