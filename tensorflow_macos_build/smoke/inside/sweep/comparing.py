"""Whether two results of an op are the same: errors in units of the dtype's epsilon, and laws."""

from typing import Any, List, NamedTuple, Optional

import numpy as np

Result = NamedTuple("Result", [("dtype", str), ("array", Any)])
"""One output: its dtype's name, and its values; None for a handle, which has none to read."""

Verdict = NamedTuple("Verdict", [("same", bool), ("error", Optional[float]), ("why", str)])
"""Whether results agree, the largest error in units of epsilon (None: no float), and why not."""

EPSILON = {
    "float64": 2.0**-52,
    "complex128": 2.0**-52,
    "float32": 2.0**-23,
    "complex64": 2.0**-23,
    "float16": 2.0**-10,
    "half": 2.0**-10,
    "bfloat16": 2.0**-7,
    "float8_e4m3fn": 2.0**-3,
    "float8_e4m3b11fnuz": 2.0**-3,
    "float8_e4m3fnuz": 2.0**-3,
    "float8_e5m2": 2.0**-2,
    "float8_e5m2fnuz": 2.0**-2,
}
"""The distance from 1 to the next number of each type."""

SIGMAS = 6.0
"""How far two samples' means may lie apart, in standard errors: 2e-9 of honest pairs lie beyond."""


SAMPLE_SIZE = 100
"""Numbers below which a sample's range, mean and spread say nothing."""


def error_in_units(result: Any, reference: Any, epsilon: float) -> float:
    """Return the largest error in units of epsilon, infinite where NaNs or infinities differ.

    The scale is the largest number of the reference, not each element's own: the sums behind a
    small element may have been of large ones (a device may add in any order).
    """
    finite = np.isfinite(reference)
    if not np.array_equal(finite, np.isfinite(result)):
        return float("inf")
    # NaN is equal to NaN here, and an infinity to one of its sign.
    with np.errstate(invalid="ignore"):
        unequal = (result != reference) & ~(np.isnan(result) & np.isnan(reference))
    if bool((unequal & ~finite).any()):
        return float("inf")
    if not finite.any() or not unequal.any():
        return 0.0
    scale = float(np.abs(reference[finite]).max()) or 1.0
    distance = float(np.abs(result[finite] - reference[finite]).max())
    return distance / scale / epsilon


def compare_values(
    results: List[Result], references: List[Result], limit: float, epsilon: float
) -> Verdict:
    """Return whether outputs are the same: shapes, dtypes, integers; floats within `limit`.

    Args:
        results: the outputs to judge.
        references: what they are compared with.
        limit: units of epsilon that a float may be off.
        epsilon: the least epsilon to count in: that of the coarsest type that the op works on.
    """
    verdict = compare_shapes(results, references)
    if not verdict.same:
        return verdict
    worst: Optional[float] = None
    for number, (result, reference) in enumerate(zip(results, references)):
        if reference.array is None:
            continue
        own = EPSILON.get(reference.dtype)
        if own is None:
            if not np.array_equal(result.array, reference.array):
                return Verdict(
                    False, worst, "output %d: %s" % (number, _first_unequal(result, reference))
                )
            continue
        error = error_in_units(result.array, reference.array, max(own, epsilon))
        worst = error if worst is None else max(worst, error)
        if error > limit:
            return Verdict(
                False, worst, "output %d is off by %.3g units of epsilon" % (number, error)
            )
    return Verdict(True, worst, "")


def compare_shapes(results: List[Result], references: List[Result]) -> Verdict:
    """Return whether outputs have the same number, dtypes and shapes."""
    if len(results) != len(references):
        return Verdict(False, None, "%d outputs, not %d" % (len(results), len(references)))
    for number, (result, reference) in enumerate(zip(results, references)):
        if result.dtype != reference.dtype:
            return Verdict(
                False, None, "output %d is %s, not %s" % (number, result.dtype, reference.dtype)
            )
        if (result.array is None) != (reference.array is None):
            return Verdict(False, None, "output %d is a handle on one side only" % number)
        if result.array is not None and result.array.shape != reference.array.shape:
            shapes = (number, result.array.shape, reference.array.shape)
            return Verdict(False, None, "output %d has the shape %s, not %s" % shapes)
    return Verdict(True, None, "")


def compare_samples(results: List[Result], references: List[Result]) -> Verdict:
    """Return whether outputs could be samples of the same distribution: shape, range, mean, spread.

    The range may be passed by the reference's width: the extremes of two samples differ.
    """
    verdict = compare_shapes(results, references)
    if not verdict.same:
        return verdict
    for number, (result, reference) in enumerate(zip(results, references)):
        if (
            reference.array is None
            or reference.array.dtype.kind in "OSU"
            or not reference.array.size
        ):
            continue
        why = _sample_fault(result.array.astype(np.float64), reference.array.astype(np.float64))
        if why:
            return Verdict(False, None, "output %d: %s" % (number, why))
    return Verdict(True, None, "")


def _sample_fault(sample: Any, reference: Any) -> str:
    if not np.isfinite(sample).all():
        return "not all of the sample is finite" if np.isfinite(reference).all() else ""
    if sample.size < SAMPLE_SIZE:
        return ""
    low, high = float(reference.min()), float(reference.max())
    margin = max(high - low, 1e-30)
    if sample.min() < low - margin or sample.max() > high + margin:
        return "it ranges over [%g, %g], not [%g, %g]" % (sample.min(), sample.max(), low, high)
    spread, own_spread = float(reference.std()), float(sample.std())
    error = (spread or own_spread) * (2.0 / sample.size) ** 0.5
    if abs(float(sample.mean()) - float(reference.mean())) > SIGMAS * error:
        return "its mean is %g, not about %g" % (sample.mean(), reference.mean())
    if spread and not 0.5 < own_spread / spread < 2.0:
        return "its standard deviation is %g, not about %g" % (own_spread, spread)
    return ""


def _first_unequal(result: Result, reference: Result) -> str:
    ours, theirs = result.array.ravel(), reference.array.ravel()
    for index in range(len(ours)):
        if ours[index] != theirs[index]:
            return "element %d is %r, not %r" % (index, ours[index], theirs[index])
    return "unequal"
