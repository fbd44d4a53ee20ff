import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.wheelhouse.target import version


@pytest.mark.parametrize(
    ("text", "numbers"), [("3.11", (3, 11)), ("12", (12, 0)), ("10.15", (10, 15)), ("12.", (12, 0))]
)
def test_a_version_has_one_number_or_two(text: str, numbers: tuple[int, int]) -> None:
    assert version(text, "--python") == numbers


@pytest.mark.parametrize("text", ["", "x", "3.x", "-1", "3.11.2", "3.²", "٣.1", "9" * 5000])
def test_what_is_no_version_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="is no version"):
        version(text, "--python")
