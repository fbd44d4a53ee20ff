"""What a night has found out about each patch queue: a forecast, and what became of its picks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.documents import Json

FORECAST = "forecast.json"
STATUS = "status.json"
"""Names in a queue's folder: what `patches.forecast` and `upstream.status` print with `--json`."""

_LIMIT = 16 << 20


@dataclass(frozen=True)
class QueueReport:
    """What is known of a queue; None: that could not be found out.

    Attributes:
        forecast: a document of the schema forecast.v1.
        status: one of the schema upstream-status.v1.
    """

    forecast: Json | None
    status: Json | None

    @property
    def pulls(self) -> list[dict[str, Any]]:
        """The rows of the picks that are pull requests."""
        rows: list[dict[str, Any]] = self.status["picks"] if self.status else []
        return [row for row in rows if row["pull"]]


def read(folder: Path) -> dict[str, QueueReport]:
    """Read reports by their queues, each of which has a folder of its name.

    Raises:
        UsageError: there is none, or a file is something else.
    """
    queues = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not queues:
        raise UsageError("there is no queue's folder in it", where=str(folder))
    return {
        queue.name: QueueReport(
            _document(queue / FORECAST, "forecast"), _document(queue / STATUS, "upstream-status")
        )
        for queue in queues
    }


def _document(path: Path, schema: str) -> Json | None:
    content = files.read_small(path, _LIMIT) if path.exists() else b""
    if not content.strip():
        return None
    try:
        return documents.read(content, schema, 1)
    except documents.NotTheDocument as error:
        if not _is_error(content):
            raise UsageError(f"it is no {schema}: {error.what}", where=str(path)) from None
        return None


def _is_error(content: bytes) -> bool:
    """Whether it is what a task prints with `--json` where it fails."""
    try:
        documents.read(content, "error", 1)
    except documents.NotTheDocument:
        return False
    return True
