"""What the flags of a forecast ask for."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks.forecast import forecast_request


@pytest.mark.parametrize(
    ("onto", "latest", "count", "revisions"),
    [
        ("", None, 3, ()),
        ("v1, v2,", None, 0, ("v1", "v2")),
        ("v1", True, 3, ("v1",)),
        ("", "1", 1, ()),
    ],
)
def test_a_forecast_is_of_releases_and_revisions(
    onto: str, latest: str | None, count: int, revisions: tuple[str, ...]
) -> None:
    request = forecast_request("demo", onto, latest, "cache")
    assert (request.latest, request.onto) == (count, revisions)


@pytest.mark.parametrize("latest", ["0", "x", "-1", "²", "9" * 5000])
def test_a_number_of_releases_is_one_from_one_on(latest: str) -> None:
    with pytest.raises(UsageError, match="from 1 on"):
        forecast_request("demo", "", latest, "cache")
