"""A range-diff for a pull request and as a page."""

from __future__ import annotations

from tensorflow_macos_build.patchqueue.review import rangediff
from tensorflow_macos_build.patchqueue.review.rangediff import QueueEntry
from tensorflow_macos_build.views import rangediff_page


def test_markdown_and_html_show_hostile_text_as_text() -> None:
    hostile = QueueEntry("1-x.patch", "<script>|`*", "```\n+</pre><script>alert(1)</script>")
    pairs = rangediff.compare([], [hostile])
    page = rangediff_page.html("a < b", pairs)
    assert "<script>" not in page
    assert "a &lt; b" in page
    text = rangediff_page.markdown("t", pairs)
    assert "| - | > | 1 | \\<script\\>\\|\\`\\* |" in text
    assert "````diff\n```\n" in text
    assert rangediff_page.summary(pairs) == "1 added"
