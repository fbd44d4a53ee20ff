from tensorflow_macos_build.retry import Retry


def test_pauses_double_up_to_the_longest() -> None:
    retry = Retry(attempts=6, first_pause=1, longest_pause=5)
    assert list(retry.pauses()) == [1, 2, 4, 5, 5]


def test_one_attempt_has_no_pause() -> None:
    assert list(Retry(attempts=1).pauses()) == []
