"""What a destination can do for a release; the loop in `engine` decides what it does when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.release.prepared import PreparedFolder, PublishedFile
    from tensorflow_macos_build.release.publishing.plan import Limits, Present, PresentFile

    Sent = Callable[[int], None]
    """Told how many more bytes have gone out."""


class Door(Protocol):
    """A destination with drafts.

    Each method raises `Passing` for what may work later. A request whose answer was lost may have
    worked: the loop looks before it does anything again.
    """

    @property
    def limits(self) -> Limits:
        """What it takes."""

    @property
    def at_once(self) -> int:
        """How many uploads may run at once."""

    def look(self) -> Present:
        """Return what it has under the tag, each file's checksum read back."""

    def create(self, release: PreparedFolder) -> None:
        """Make a draft that nobody sees."""

    def describe(self, draft: str, release: PreparedFolder) -> None:
        """Write the release's title, notes and mark into a draft."""

    def delete(self, draft: str) -> None:
        """Delete a draft; one that is gone is no failure."""

    def delete_file(self, draft: str, file: PresentFile) -> None:
        """Delete a file of a draft; one that is gone is no failure."""

    def upload(self, draft: str, file: PublishedFile, sent: Sent) -> None:
        """Put a file into a draft."""

    def publish(self, draft: str) -> None:
        """Let everybody see a draft."""
