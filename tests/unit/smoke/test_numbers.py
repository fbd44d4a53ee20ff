"""Errors in units of epsilon, judged by exact fractions; gradients, by formulas."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.smoke.inside import cases, judges, numbers, parity

finite = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False).filter(lambda x: abs(x) > 1e-3)


@given(st.lists(finite, min_size=1, max_size=20), st.data())
def test_an_error_is_counted_as_exact_fractions_count_it(
    values: list[float], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(values) - 1))
    got = np.array(values)
    got[at] += data.draw(st.floats(-1.0, 1.0))
    judge = numbers.Judgement(np.array(values), np.abs(values))
    moved = abs(Fraction(float(got[at])) - Fraction(values[at]))
    expected = moved / Fraction(abs(values[at])) / Fraction(2) ** -23
    measured = numbers.measure(got, judge, "float32", limit=4.0)
    assert measured.error == pytest.approx(float(expected), rel=1e-9)
    assert measured.ok == (measured.error <= 4.0)


@given(st.integers(1, 40), st.data())
def test_one_wrong_element_is_reported_wherever_it_is(size: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, size - 1))
    right = np.linspace(0.5, 1.5, size)
    for wrong in (right[at] * 1.001, math.nan, math.inf, -math.inf):
        result = right.copy()
        result[at] = wrong
        comparison = numbers.measure(result, right, "float32", 64.0)
        assert not comparison.ok
        assert comparison.why.startswith(f"at [{at}]:")
        assert "1 of" in comparison.why


def test_a_number_where_the_judge_has_none_is_wrong() -> None:
    judge = np.array([math.nan, math.inf, 1.0])
    assert numbers.measure(judge, judge, "float32").ok
    for result in ([0.0, math.inf, 1.0], [math.nan, -math.inf, 1.0], [math.nan, 1e38, 1.0]):
        assert not numbers.measure(np.array(result), judge, "float32").ok


def test_shapes_are_part_of_a_result() -> None:
    assert "its shape" in numbers.measure(np.ones((2, 1)), np.ones((1, 2)), "float32").why
    assert numbers.measure(np.ones((0, 3)), np.ones((0, 3)), "float32").ok
    assert not numbers.measure(np.ones((0, 3)), np.ones((0, 2)), "float32").ok


def test_integers_are_exact() -> None:
    big = np.array([2**62])
    assert numbers.measure(big, numbers.exact(big), "int64").ok
    assert not numbers.measure(big + 1, numbers.exact(big), "int64").ok


SLOPES: list[tuple[Any, Any]] = [
    (np.sin, np.cos),
    (np.exp, np.exp),
    (np.log, lambda x: 1 / x),
    (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
]


@pytest.mark.parametrize(("function", "slope"), SLOPES)
def test_slopes_are_those_of_the_formulas(function: Any, slope: Any) -> None:
    x = np.linspace(0.5, 2.0, 50)
    assert np.abs(numbers.slope(function, [x], 0) / slope(x) - 1).max() < numbers.PRECISION


def test_gradients_of_a_product_are_those_of_the_formula() -> None:
    rng = np.random.RandomState(1)
    x, w, upstream = rng.normal(size=(6, 3)), rng.normal(size=(3, 2)), rng.normal(size=(6, 2))
    arguments = [x, w]
    for linear in (False, True):
        of_x = numbers.batch_gradient(np.dot, arguments, 0, upstream)
        running = numbers.RunningGradient(np.dot, arguments, 1, upstream, linear)
        whole = numbers.gradient(np.dot, arguments, 1, upstream, linear)
        assert np.allclose(of_x.value, upstream.dot(w.T), rtol=1e-9)
        assert np.allclose(whole.value, x.T.dot(upstream), rtol=1e-9)
        for size in range(7):
            part = running.of(size).value
            assert np.allclose(part, x[:size].T.dot(upstream[:size]), rtol=1e-9, atol=1e-11)
    assert np.allclose(
        numbers.linear_batch_gradient(np.dot, arguments, 0, upstream).value, upstream.dot(w.T)
    )


def test_a_gradient_that_cancels_is_measured_by_the_largest_of_all() -> None:
    zero = numbers.Judgement(np.array([1e-14]), np.array([1e-14]))
    large = numbers.Judgement(np.array([1.0]), np.array([1.0]))
    assert not numbers.measure(np.array([1e-8]), zero, "float32").ok
    assert numbers.measure(np.array([1e-9]), numbers.at_least([zero, large])[0], "float32").ok


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_transposed_convolution_is_the_gradient_of_a_convolution(
    stride: int, padding: str
) -> None:
    """<conv(y), x> = <y, transposed(x)> for all y, which is what transposing means."""
    rng = np.random.RandomState(stride)
    x, w = rng.normal(size=(2, 3, 4, 2)), rng.normal(size=(3, 2, 3, 2))
    result = judges.transposed(x, w, (stride, stride), padding)
    y = rng.normal(size=result.shape)
    convolved = judges.convolution(y, w, (stride, stride), padding)
    assert convolved.shape == x.shape
    assert (convolved * x).sum() == pytest.approx((y * result).sum())


def test_pooling_is_what_a_loop_over_windows_gives() -> None:
    x = np.random.RandomState(2).normal(size=(2, 5, 4, 3))
    mean, largest = (
        pool(x, (2, 2), (2, 2), "SAME") for pool in (judges.average_pool, judges.max_pool)
    )
    for row in range(3):
        for column in range(2):
            window = x[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            assert np.allclose(mean[:, row, column], window.mean(axis=(1, 2)))
            assert np.array_equal(largest[:, row, column], window.max(axis=(1, 2)))


def test_every_judge_of_a_case_takes_its_own_batch_apart() -> None:
    """An example's result does not depend on the others: a part of the batch is a part of it."""
    for case in cases.cases("float32"):
        judged = parity.Parity(case, "float32", np.float32, np.random.RandomState(3), 6)
        whole = case.judge(*judged.batch(6))
        for size in (0, 1, 5):
            part = case.judge(*judged.batch(size))
            assert np.allclose(part, whole[:size]), case.name


def test_a_fault_in_one_element_of_one_size_is_a_problem_of_that_size() -> None:
    case = next(case for case in cases.cases("float32") if case.name == "matmul")
    judged = parity.Parity(case, "float32", np.float32, np.random.RandomState(4), 33)
    for size in (19, 20, 33):
        right = case.judge(*judged.batch(size))
        gradients = [
            judged.upstream[:size].dot(judged.arguments[1].T),
            judged.batch(size)[0].T.dot(judged.upstream[:size]),
        ]
        assert list(judged.problems(size, right, gradients)) == []
        wrong = right.copy()
        wrong[-1, -1] *= 1.1
        assert [p.partition(":")[0] for p in judged.problems(size, wrong, gradients)] == [
            f"matmul, batch {size}"
        ]
        gradients[1] = gradients[1] * 1.001
        assert [p.partition(":")[0] for p in judged.problems(size, right, gradients)] == [
            f"matmul gradient 1, batch {size}"
        ]
