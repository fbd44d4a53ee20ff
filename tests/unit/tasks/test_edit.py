"""A change of a queue that is under way is named by a line that asks for it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.edit import plan_file, session
from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.tasks.program import Program

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.edit.step import EditProgress


@dataclass
class RecordingSession:
    """Notes what is asked for, and does nothing."""

    requests: list[tuple[str, ...]] = field(default_factory=list)

    def change(self, _make: object, request: tuple[str, ...]) -> EditProgress:
        self.requests.append(request)
        raise UsageError("it was noted")

    def edit(self, name: str) -> EditProgress:
        return self.change(None, ("patches.edit", name))


@pytest.mark.parametrize(
    "request_",
    [
        ("patches.drop", "a"),
        ("patches.edit", "a"),
        ("patches.vendor", "pull-7"),
        ("patches.fold", "a", "b"),
        ("patches.reorder", "a", "before", "b"),
        ("patches.reorder", "a", "after", "b"),
        ("patches.split", "a", "A subject", "x/*", "y"),
        ("patches.trim", "a", "1", "3"),
        ("patches.trim", "a", "onto", "v2"),
        ("patches.trailers", "add", "a*", "b: c", "", "Reason: backport", "Drop-When: never"),
        (
            "patches.trailers",
            "replace",
            "",
            "Owner: A <a@example.org>",
            "Upstream: https://e.org/1",
        ),
    ],
)
def test_the_line_of_a_request_typed_is_the_request(
    request_: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = RecordingSession()
    monkeypatch.setattr(session, "open", lambda *_: recording)
    program = Program(namespace=namespace, name="inv", binary="inv", version="1")
    with pytest.raises(SystemExit):
        program.run(["inv", *plan_file.words(request_), "--queue", "demo"])
    assert recording.requests == [request_]
