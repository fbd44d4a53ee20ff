"""Laws of a sweep: every case is decided once, every kernel's types are called, errors scale."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.smoke.inside.sweep.calling import Call
from tensorflow_macos_build.smoke.inside.sweep.comparing import (
    EPSILON,
    Result,
    compare_samples,
    compare_values,
    error_in_units,
)
from tensorflow_macos_build.smoke.inside.sweep.schedule import Ended, Schedule
from tensorflow_macos_build.smoke.inside.sweep.worker import verdict_on
from tensorflow_macos_build.smoke.sweep.planning import Kernel, Listing, OpDef, plan

if TYPE_CHECKING:
    from collections.abc import Collection

TYPES = ("float32", "float64", "int32")
NAMES = ("T", "Tidx")
FLOATS = st.floats(-1e6, 1e6, width=32)


def _outcomes(
    count: int, batch: int, deadly: Collection[int], poisoned: Collection[int], side: str
) -> dict[int, list[str]]:
    """Run a schedule with workers that die at some cases, or at some only behind others."""
    schedule = Schedule(list(range(count)), batch)
    rows: dict[int, list[str]] = {case: [] for case in range(count)}
    for _ in range(4 * count + 1):
        cases = schedule.take()
        if not cases:
            return rows
        begun: list[int] = []
        ended = None
        for case in cases:
            begun.append(case)
            alone = len(begun) == 1
            if case in deadly or (case in poisoned and not alone):
                ended = Ended(case, side, "signal", hung=False, alone=alone)
                break
            rows[case].append(schedule.decided({"case": case, "outcome": "equal"})["outcome"])
        if schedule.give_back(cases, begun, ended) and ended:
            rows[ended.case].append("die")
    raise AssertionError("it never ends")


@given(
    st.integers(1, 30),
    st.integers(1, 8),
    st.sets(st.integers(0, 29)),
    st.sets(st.integers(0, 29)),
)
def test_whatever_dies_each_case_is_decided_once_and_no_death_is_lost(
    count: int, batch: int, deadly: set[int], poisoned: set[int]
) -> None:
    rows = _outcomes(count, batch, deadly, poisoned, "device")
    for case, outcomes in rows.items():
        assert len(outcomes) == 1
        if case in deadly:
            assert outcomes == ["die"]
        elif case not in poisoned:
            assert outcomes == ["equal"]
    # A death behind others on the reference's side says nothing of the device.
    theirs = _outcomes(count, batch, (), poisoned, "reference")
    assert all(outcomes == ["equal"] for outcomes in theirs.values())


kernels = st.builds(
    Kernel,
    st.sampled_from(["A", "B", "Unknown"]),
    st.sampled_from(["GPU", "CPU", "DEFAULT"]),
    st.dictionaries(
        st.sampled_from([*NAMES, "gone"]),
        st.lists(st.sampled_from(TYPES), min_size=1, unique=True).map(tuple),
    ).map(lambda types: tuple(sorted(types.items()))),
    st.sampled_from(["", "", "eigen"]),
    st.integers(0, 1),
)
ATTRS = {"T": ("type", ("float32", "int32")), "Tidx": ("type", ())}


@given(st.lists(kernels, max_size=8))
def test_a_plan_has_what_a_call_can_reach_and_a_fault_for_what_none_can(
    registered: list[Kernel],
) -> None:
    ops = {name: OpDef(ATTRS, reference=False) for name in ("A", "B")}
    made = plan(Listing("2", ("GPU:0",), tuple(registered), ops), "GPU:0", "CPU:0")
    own = [k for k in registered if k.device in ("GPU", "DEFAULT")]
    reachable = {
        (kernel.op, types)
        for kernel in own
        if kernel.op in ops and not kernel.label
        for types in kernel.cases()
        if all(n in ATTRS and (not ATTRS[n][1] or t in ATTRS[n][1]) for n, t in types)
    }
    assert {(case.op, case.types) for case in made.cases} == reachable
    impossible = {
        k.op
        for k in own
        if k.op in ops and any(n == "gone" or (n == "T" and "float64" in t) for n, t in k.types)
    }
    assert {f.op for f in made.faults if f.kind == "impossible"} == impossible
    assert {f.op for f in made.faults if f.kind == "unknown op"} == (
        {"Unknown"} & {k.op for k in own}
    )
    # By trying every type: two of them would both be taken.
    twice = {
        a.op
        for a, b in itertools.combinations(own, 2)
        if (a.op, a.device, a.label, a.priority) == (b.op, b.device, b.label, b.priority)
        and any(
            a.takes(dict(zip((*NAMES, "gone"), types, strict=True)))
            and b.takes(dict(zip((*NAMES, "gone"), types, strict=True)))
            for types in itertools.product(TYPES, repeat=3)
        )
    }
    assert {f.op for f in made.faults if f.kind == "duplicate"} == twice


@given(st.lists(FLOATS, min_size=1, max_size=20), st.floats(0, 1000), st.data())
def test_an_error_is_counted_in_units_of_epsilon_of_the_largest_number(
    numbers: list[float], units: float, data: st.DataObject
) -> None:
    reference = np.array(numbers, np.float64)
    result = reference.copy()
    scale = float(np.abs(reference).max()) or 1.0
    epsilon = EPSILON["float32"]
    result[data.draw(st.integers(0, len(numbers) - 1))] += units * epsilon * scale
    error = error_in_units(result, reference, epsilon)
    # The addition itself rounds to float64.
    assert math.isclose(error, units, rel_tol=1e-6, abs_tol=1e-6)
    same = compare_values([Result("float32", result)], [Result("float32", reference)], 64.0, 0.0)
    assert same.same == (error <= 64.0)


@given(st.sampled_from([math.nan, math.inf, -math.inf]), st.integers(0, 3))
def test_what_is_not_finite_on_one_side_only_is_never_the_same(odd: float, where: int) -> None:
    reference = np.array([1.0, 2.0, 3.0, 4.0])
    result = reference.copy()
    result[where] = odd
    assert error_in_units(result, reference, 1.0) == math.inf
    assert error_in_units(reference, result, 1.0) == math.inf
    assert error_in_units(result, result.copy(), 1.0) == 0.0


@given(st.integers(0, 2**32 - 1))
def test_two_samples_of_one_distribution_pass_and_a_shifted_one_does_not(seed: int) -> None:
    random = np.random.RandomState(seed)
    first, second = random.rand(1200), random.rand(1200)
    pair = [Result("float32", first)], [Result("float32", second)]
    assert compare_samples(*pair).same
    for wrong in (first + 0.2, first * 0.1, np.zeros(1200), first / first * math.nan):
        assert not compare_samples([Result("float32", wrong)], pair[1]).same


CASE = {"op": "MatMul", "types": {"T": "float32"}}
DEVICE = "/job:localhost/replica:0/task:0/device:GPU:0"


def _call(array: np.ndarray[Any, Any], device: str = DEVICE) -> Call:
    return Call([Result("float32", array)], [device])


@given(st.integers(0, 2**32 - 1), st.integers(0, 1))
def test_a_fault_of_either_call_is_a_difference_and_rounding_is_none(seed: int, which: int) -> None:
    right = np.random.RandomState(seed).uniform(-2, 2, (4, 5)).astype(np.float32)
    last = right.copy()
    last[-1, -1] += np.float32(0.01)
    faults = [
        _call(last),
        _call(right.astype(np.float16).astype(np.float32)),  # a silent half precision
        _call(np.full_like(right, math.nan)),
        _call(right[:3]),
        _call(right, DEVICE.replace("GPU", "CPU")),
        Call([Result("float64", right)], [DEVICE]),
    ]
    references = [_call(right), _call(right)]
    for fault in faults:
        calls = [_call(right), _call(right)]
        calls[which] = fault
        outcome = verdict_on(calls, references, CASE, "GPU:0", "value")
        assert outcome["outcome"] == "differ", outcome
    rounded = [_call(np.nextafter(right, np.float32(9))) for _ in range(2)]
    assert verdict_on(rounded, references, CASE, "GPU:0", "value")["outcome"] == "equal"
    # Without a reference the device's calls are held against each other.
    alone = [_call(right), _call(last)]
    assert verdict_on(alone, [], CASE, "GPU:0", "value")["outcome"] == "differ"
