import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.bazel import profile
from tensorflow_macos_build.bazel.profile import ActionTime, ActionTimes, KindTime


def action(name: Any, microseconds: Any, **more: Any) -> dict[str, Any]:
    return {"cat": "action processing", "name": name, "ph": "X", "dur": microseconds, **more}


def step(name: str, microseconds: int) -> dict[str, Any]:
    return {"cat": "critical path component", "name": name, "ph": "X", "dur": microseconds}


def trace(*events: Any) -> bytes:
    return json.dumps({"otherData": {"build_id": "x"}, "traceEvents": events}, indent=1).encode()


def parse(content: bytes) -> ActionTimes | None:
    return profile.parse(io.BytesIO(content))


EVENTS = (
    {"name": "thread_name", "ph": "M", "pid": 1, "tid": 0, "args": {"name": "Critical Path"}},
    action("Compiling a.cc", 3_000_000),
    action("Compiling b.cc", 1_000_000),
    action("Linking libx.so", 2_000_000, args={"mnemonic": "CppLink"}),
    {"cat": "general information", "name": "x", "ph": "X", "dur": 9_000_000},
    step("action 'Compiling a.cc'", 3_000_000),
    step("action 'Linking libx.so'", 2_000_000),
)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzipped"])
def test_time_is_added_up_by_kind_and_the_slowest_come_first(pack: Any) -> None:
    times = parse(pack(trace(*EVENTS)))
    assert times == ActionTimes(
        kinds=(KindTime("Compiling", 2, 4.0), KindTime("CppLink", 1, 2.0)),
        slowest=(
            ActionTime("Compiling a.cc", 3.0),
            ActionTime("Linking libx.so", 2.0),
            ActionTime("Compiling b.cc", 1.0),
        ),
        critical_path=(ActionTime("Compiling a.cc", 3.0), ActionTime("Linking libx.so", 2.0)),
    )
    assert times.critical_seconds == 5.0


def test_neighbours_that_bazel_has_merged_count_as_so_many() -> None:
    times = parse(trace(action("merged 12 events", 500_000)))
    assert times == ActionTimes((KindTime("others", 12, 0.5),), (), ())


def test_only_the_slowest_actions_are_kept_and_equals_in_their_order() -> None:
    names = [f"Compiling {number}.cc" for number in range(50)]
    times = parse(trace(*(action(name, 1) for name in names)))
    assert times is not None
    assert [slow.description for slow in times.slowest] == names[: profile.SLOWEST]


def test_no_number_of_kinds_takes_the_memory() -> None:
    times = parse(trace(*(action(f"K{number} x", 1) for number in range(2000))))
    assert times is not None
    assert len(times.kinds) <= 501
    assert sum(kind.actions for kind in times.kinds) == 2000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"traceEvents":',
        b'{"traceEvents":[',
        b'{"traceEvents":[{"name":"x"',
        b'{"traceEvents":[' + b"[" * 100_000,
        b'{"traceEvents":["' + b"x" * (1 << 22) + b'"]}',
        b'{"traceEvents":[' + b"9" * 5000 + b"]}",
        b"\x1f\x8b",
        b"\x1f\x8b" + b"\0" * 100,
        gzip.compress(trace(*EVENTS))[:-30],
        gzip.compress(b"no profile"),
        os.urandom(5000),
    ],
    ids=range(14),
)
def test_of_what_is_cut_off_or_no_profile_nothing_is_known(content: bytes) -> None:
    assert parse(content) is None


STRANGE: list[Any] = [None, True, -1, 1e308, 10**40, float("nan"), "x", "\ud800", [], {}, [[]]]


@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
def test_a_field_of_another_type_counts_as_left_out(value: Any) -> None:
    events = [
        value,
        action(value, 1_000_000),
        action("Compiling a.cc", value),
        action("Linking b", 1_000_000, args=value),
        action("Linking c", 1_000_000, args={"mnemonic": value}),
        {"cat": value, "name": "x", "dur": 1},
    ]
    times = parse(trace(*events))
    assert times is not None
    str(times).encode()


@given(cut=st.integers(0, 1000))
def test_a_packed_profile_that_is_cut_anywhere_is_no_error(cut: int) -> None:
    packed = gzip.compress(trace(*EVENTS))
    times = parse(packed[:cut])
    assert times is None or times == parse(packed)


def test_a_profile_that_is_not_there_or_no_file_is_not_known(tmp_path: Path) -> None:
    assert profile.read(tmp_path / "missing") is None
    assert profile.read(tmp_path) is None
    os.mkfifo(tmp_path / "pipe")
    assert profile.read(tmp_path / "pipe") is None
