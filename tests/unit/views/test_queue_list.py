"""A list of a queue names what its series and its patches say."""

from __future__ import annotations

from tensorflow_macos_build.views import queue_list
from tests.view_samples.queues import QUEUE


def test_a_list_has_the_series_in_its_order() -> None:
    (listed,) = queue_list.as_document([QUEUE])["queues"]
    series = (QUEUE.folder / "series").read_text().split()
    assert [change["name"] for change in listed["changes"]] == series
    for change in listed["changes"]:
        text = (QUEUE.folder / change["name"]).read_text()
        assert f"\nReason: {change['reason']}\n" in text
        assert f"\nDrop-When: {change['drop_when']}\n" in text
    assert listed["base"]["ref"] in (QUEUE.folder / "queue.yaml").read_text()
