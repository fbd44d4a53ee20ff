import pytest

from tensorflow_macos_build.bazel import progress
from tensorflow_macos_build.bazel.progress import BuildProgress


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (
            b"[6 / 31] Executing genrule //:g22; 0s linux-sandbox ... (2 actions, 1 running)",
            BuildProgress(6, 31, 1, "Executing genrule //:g22; 0s linux-sandbox"),
        ),
        (
            b"[1,234 / 5,678] Compiling a.cc; 3s linux-sandbox ... (8 actions running)",
            BuildProgress(1234, 5678, 8, "Compiling a.cc; 3s linux-sandbox"),
        ),
        (b"[3 / 9] Linking x ... (2 actions)", BuildProgress(3, 9, 0, "Linking x")),
        (b"[3 / 9] Linking x; 2s local", BuildProgress(3, 9, 1, "Linking x; 2s local")),
        (b"[0 / 31] [Prepa] Status", BuildProgress(0, 31, 0, "[Prepa] Status")),
        (b"[7 / 7]", BuildProgress(7, 7, 0, "")),
        (b"[, / ,] \xff", BuildProgress(0, 0, 1, "\N{REPLACEMENT CHARACTER}")),
        (b"INFO: [1 / 2] no", None),
        (b"", None),
    ],
)
def test_counts_are_read_from_what_bazel_prints(line: bytes, counts: BuildProgress | None) -> None:
    assert progress.parse(line) == counts


def test_time_left_is_shown_where_it_is_known() -> None:
    moment = BuildProgress(1, 2, 3, "Compiling a.cc")
    assert progress.detail(moment, None) == "3 running; Compiling a.cc"
    assert progress.detail(moment, 725.0) == "3 running, about 12 min left; Compiling a.cc"


def test_an_estimate_is_not_more_exact_than_it_is() -> None:
    shown = [progress.duration(seconds) for seconds in (3, 90, 5900, 19_000)]
    assert shown == ["less than a minute", "about 2 min", "about 98 min", "about 5 h 17 min"]
