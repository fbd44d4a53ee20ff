"""The flags that name a queue, as they are printed in lines to type."""

from __future__ import annotations

from tensorflow_macos_build.tasks.folders import MIRRORS
from tensorflow_macos_build.tasks.queue_flags import QueueFlags


def test_a_line_to_type_leaves_out_what_is_the_default() -> None:
    assert QueueFlags("demo", MIRRORS).words == ("--queue", "demo")
    assert QueueFlags("demo", "other", "tree").words == (
        *("--queue", "demo"),
        *("--work", "tree"),
        *("--cache", "other"),
    )
