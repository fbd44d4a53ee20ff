"""Results of a device against numbers that NumPy computed in float64.

An error is counted in units of the result's own epsilon, relative to the judge's largest number: an
element near 0 may be a sum of large ones, and its own size is no measure of what was lost.
"""

import importlib
from typing import Any, Dict

from .registry import CheckFailed

EPSILONS = {
    "float64": 2.0**-52,
    "float32": 2.0**-23,
    "float16": 2.0**-10,
    "bfloat16": 2.0**-7,
}
"""The distance from 1 to the next number of a type."""


def as_float64(value: Any) -> Any:
    """Return a tensor, an array or nested lists as a NumPy array of float64."""
    np = importlib.import_module("numpy")
    if hasattr(value, "numpy"):
        value = value.numpy()
    return np.asarray(value).astype(np.float64)


def measure(result: Any, judge: Any, dtype: str) -> "Dict[str, Any]":
    """Return how far a result is from its judge, and where.

    Returns:
        `error_eps`, the largest error in units of the type's epsilon times the judge's largest
        number; `at`, the index of that element, and what was `seen` and `expected` there.

    Raises:
        CheckFailed: the shapes differ, or where one has a number the other has none.
    """
    np = importlib.import_module("numpy")
    seen, expected = as_float64(result), as_float64(judge)
    if seen.shape != expected.shape:
        shapes = {"seen": list(seen.shape), "expected": list(expected.shape)}
        raise CheckFailed("its shape is {seen}, not {expected}".format(**shapes), **shapes)
    if not seen.size:
        return {"error_eps": 0.0, "at": [], "seen": None, "expected": None}
    finite = np.isfinite(expected)
    # Infinities are to be the same ones, and a NaN is equal to nothing.
    odd = np.where(finite, ~np.isfinite(seen), ~((seen == expected) | np.isnan(seen)))
    odd |= np.isnan(seen) != np.isnan(expected)
    if odd.any():
        at = np.argwhere(odd)[0]
        raise CheckFailed(
            "it is {} at {}, not {}".format(seen[tuple(at)], at.tolist(), expected[tuple(at)]),
            at=at.tolist(),
            wrong=int(odd.sum()),
            of=int(odd.size),
        )
    errors = np.abs(np.where(finite, seen, 0.0) - np.where(finite, expected, 0.0))
    largest = float(np.abs(np.where(finite, expected, 0.0)).max()) or 1.0
    at = np.unravel_index(int(errors.argmax()), errors.shape)
    return {
        "error_eps": float(errors[at]) / largest / EPSILONS[dtype],
        "at": [int(index) for index in at],
        "seen": float(seen[at]),
        "expected": float(expected[at]),
    }


def compare(
    result: Any, judge: Any, dtype: str, allowed: float = 64.0, what: str = "it"
) -> "Dict[str, Any]":
    """Return what `measure` does of a result that is right.

    Args:
        result: what a device computed.
        judge: the same in float64.
        dtype: the type in which the device computed.
        allowed: the largest error, in units of the type's epsilon.
        what: how a failure calls the result.

    Raises:
        CheckFailed: it is wrong.
    """
    try:
        measured = measure(result, judge, dtype)
    except CheckFailed as failure:
        raise CheckFailed("{}: {}".format(what, failure), **failure.evidence) from None
    if measured["error_eps"] > allowed:
        raise CheckFailed(
            "{what}: {seen:.9g} at {at}, not {expected:.9g}: wrong by {error_eps:.3g} epsilons of "
            "{dtype}, and {allowed:g} are allowed".format(
                what=what, dtype=dtype, allowed=allowed, **measured
            ),
            **measured,
        )
    return measured
