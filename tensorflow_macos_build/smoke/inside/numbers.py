"""Judges in float64 of what a device computed, and errors in units of a type's epsilon.

A result is compared element by element, never as a sum or a norm: one wrong element of a million is
an error. The allowed error of an element grows with its magnitude: for an operation that adds up
products, the sum of the products' absolute values (Higham, Accuracy and Stability of Numerical
Algorithms, 3.5), which bounds what any order of adding can bring about.
"""

from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

from .lazy import np
from .registry import CheckFailed

EPSILON = {
    "float16": 2.0**-10,
    "bfloat16": 2.0**-7,
    "float32": 2.0**-23,
    "float64": 2.0**-52,
    "complex64": 2.0**-23,
    "complex128": 2.0**-52,
}
"""The distance from 1 to the next number; a type that is not here is compared exactly."""

SMALLEST = {"float16": 2.0**-14, "bfloat16": 2.0**-126, "float32": 2.0**-126}
"""The smallest normal number: devices may flush what is below it to zero."""

FLOOR = 0.05
"""The least magnitude of an element, as a part of the largest in its tensor.

Where no magnitude is given, an element near 0 is the difference of larger ones, as in sin(3.14).
"""

# Central differences of sixth order: 7 points, the middle one has weight 0.
_STENCIL = ((-3, -1 / 60), (-2, 3 / 20), (-1, -3 / 4), (1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
_STEP = 2.0**-9  # truncation (h^6/140) and rounding (2^-52/h) are both near 2e-13 here

PRECISION = 1e-10
"""What central differences of a smooth function are good for, relative to its magnitude."""


class Judgement(NamedTuple):
    """What a result has to be.

    Attributes:
        value: float64 (or complex128, integers, booleans).
        magnitude: by element, what an error of one epsilon is relative to.
        precision: the error of the judge itself, relative to the magnitude.
    """

    value: Any
    magnitude: Any
    precision: float = 0.0

    def of(self, size: int) -> "Judgement":
        """Return the judgement of the first `size` examples."""
        return Judgement(self.value[:size], self.magnitude[:size], self.precision)


class Comparison(NamedTuple):
    """How far a result is from its judgement.

    Attributes:
        ok: whether every element is within the limit.
        error: of the worst element, in epsilons of the type; infinite if a shape or NaN differs.
        why: of a result that is not right, the worst element's index, both numbers, and how many
            elements are wrong.
    """

    ok: bool
    error: float
    why: str


def exact(value: Any) -> Judgement:
    """Return the judgement of what is computed without rounding."""
    value = np.asarray(value)
    return Judgement(value, np.abs(value) if value.dtype != bool else value)


def judged(
    value: Any, magnitude: Any = None, precision: float = 0.0, floor: float = FLOOR
) -> Judgement:
    """Return a judgement; without a magnitude, it is the value's own, at least `floor` of all."""
    value = np.asarray(value)
    if magnitude is None:
        magnitude = np.abs(value)
    magnitude = np.asarray(magnitude)
    finite = magnitude[np.isfinite(magnitude)]
    least = floor * finite.max() if finite.size else 0.0
    return Judgement(value, np.maximum(magnitude, least), precision)


def at_least(judgements: "Sequence[Judgement]", part: float = 0.01) -> "List[Judgement]":
    """Return judgements whose magnitudes are at least a part of the largest among them all.

    A gradient that is 0 by symmetry, as that of the bias of an attention's keys, is what is left of
    terms as large as the other gradients.
    """
    largest = max(
        [float(each.magnitude.max()) for each in judgements if each.magnitude.size] or [0]
    )
    return [
        Judgement(each.value, np.maximum(each.magnitude, part * largest), each.precision)
        for each in judgements
    ]


def as_float64(result: Any) -> Any:
    """Return a tensor or array as float64; complex and integer numbers and booleans as they are."""
    array = np.asarray(result.numpy() if hasattr(result, "numpy") else result)
    if array.dtype.kind in "iub":
        return array
    if array.dtype.kind == "c":
        return array.astype(np.complex128)
    return array.astype(np.float64)


def measure(result: Any, judge: Any, dtype: str, limit: float = 4.0) -> Comparison:
    """Compare a result with its judgement (or with an array) element by element.

    Args:
        result: a tensor or an array.
        judge: a `Judgement`, or what `judged` makes one of.
        dtype: the name of the type that was computed in.
        limit: allowed error in epsilons of that type, relative to each element's magnitude.
    """
    if not isinstance(judge, Judgement):
        judge = judged(judge)
    got = as_float64(result)
    if got.shape != judge.value.shape:
        shapes = "its shape is {}, not {}".format(got.shape, judge.value.shape)
        return Comparison(False, float("inf"), shapes)
    if not got.size:
        return Comparison(True, 0.0, "")
    errors = _errors(got, judge, dtype)
    if dtype in EPSILON:
        limit = max(limit, judge.precision / EPSILON[dtype])
    wrong = int(np.count_nonzero(~(errors <= limit)))
    worst = np.unravel_index(int(np.argmax(errors)), errors.shape) if errors.shape else ()
    error = float(errors[worst])
    if not wrong:
        return Comparison(True, error, "")
    where = tuple(int(index) for index in worst)
    numbers = "{}, not {}".format(_shown(got[worst]), _shown(judge.value[worst]))
    share = "{} of {} elements wrong".format(wrong, errors.size)
    return Comparison(False, error, "at {}: {} ({})".format(list(where), numbers, share))


def compare(
    result: Any, judge: Any, dtype: str, allowed: float = 64.0, what: str = "it"
) -> "Dict[str, Any]":
    """Return the error of a result that is right, as `measure` finds it.

    Raises:
        CheckFailed: it is wrong.
    """
    comparison = measure(result, judge, dtype, allowed)
    if not comparison.ok:
        raise CheckFailed(
            "{}: {}; {:.3g} epsilons of {}, and {:g} are allowed".format(
                what, comparison.why, comparison.error, dtype, allowed
            )
        )
    return {"error_eps": comparison.error}


def _errors(got: Any, judge: Judgement, dtype: str) -> Any:
    """Return the error of each element in epsilons, infinite where no number can be close."""
    if dtype not in EPSILON:
        return np.where(got == judge.value, 0.0, np.inf)
    unit = EPSILON[dtype] * np.maximum(judge.magnitude, SMALLEST.get(dtype, 0.0))
    with np.errstate(all="ignore"):
        errors = np.abs(got - judge.value) / np.where(unit > 0, unit, 1e-300)
    same = (got == judge.value) | (np.isnan(got) & np.isnan(judge.value))
    errors = np.where(same, 0.0, errors)
    return np.where(np.isnan(errors), np.inf, errors)


def _shown(number: Any) -> str:
    return "{:.9g}".format(number) if np.isrealobj(number) else str(number)


def slope(function: Callable[..., Any], arguments: Sequence[Any], index: int) -> Any:
    """Return the derivative of an elementwise function in one argument, element by element."""
    return sum(
        weight * function(*_moved(arguments, index, point * _STEP)) for point, weight in _STENCIL
    ) / np.float64(_STEP)


def _moved(arguments: Sequence[Any], index: int, distance: Any) -> List[Any]:
    moved = list(arguments)
    moved[index] = moved[index] + distance
    return moved


def _derivative(
    function: Callable[..., Any], arguments: Sequence[Any], index: int, unit: Any, linear: bool
) -> Any:
    """Return the derivative of a function along one direction of one argument."""
    if linear:
        return function(*([*list(arguments[:index]), unit, *list(arguments[index + 1 :])]))
    return sum(
        weight * function(*_moved(arguments, index, point * _STEP * unit))
        for point, weight in _STENCIL
    ) / np.float64(_STEP)


def gradient(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    index: int,
    upstream: Any,
    linear: bool = False,
) -> Judgement:
    """Return the gradient of sum(upstream * function(*arguments)) in one argument.

    The function is evaluated six times for each element of the argument (once if it is linear in
    it), so this is for small ones.
    """
    argument = arguments[index]
    value, magnitude = np.zeros(argument.shape), np.zeros(argument.shape)
    for at in np.ndindex(*argument.shape):
        unit = np.zeros(argument.shape)
        unit[at] = 1.0
        terms = upstream * _derivative(function, arguments, index, unit, linear)
        value[at], magnitude[at] = terms.sum(), np.abs(terms).sum()
    return judged(value, magnitude, 0.0 if linear else PRECISION)


def batch_gradient(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    index: int,
    upstream: Any,
    linear: bool = False,
) -> Judgement:
    """Return the gradient in an argument whose first axis is the batch.

    An example's result depends on this example of the argument alone, so one element of all
    examples is moved at once.
    """
    argument = arguments[index]
    value, magnitude = np.zeros(argument.shape), np.zeros(argument.shape)
    for at in np.ndindex(*argument.shape[1:]):
        terms = _example_terms(function, arguments, index, at, upstream, linear)
        of_all = (slice(None), *at)
        value[of_all] = terms.sum(axis=1)
        magnitude[of_all] = np.abs(terms).sum(axis=1)
    return judged(value, magnitude, 0.0 if linear else PRECISION)


def linear_batch_gradient(
    function: Callable[..., Any], arguments: Sequence[Any], index: int, upstream: Any
) -> Judgement:
    """Return the gradient in a batched argument that a function is linear in.

    No other argument may be batched: each unit vector is one example of one batch, so the function
    is evaluated once.
    """
    shape = arguments[index].shape[1:]
    size = int(np.prod(shape))
    units = np.eye(size).reshape((size, *shape))
    jacobian = _derivative(function, arguments, index, units, linear=True).reshape(size, -1)
    flat = upstream.reshape(len(upstream), jacobian.shape[1])
    value, magnitude = flat.dot(jacobian.T), np.abs(flat).dot(np.abs(jacobian).T)
    full = (len(upstream), *shape)
    return judged(value.reshape(full), magnitude.reshape(full))


def _example_terms(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    index: int,
    at: Tuple[int, ...],
    upstream: Any,
    linear: bool,
) -> Any:
    unit = np.zeros(arguments[index].shape[1:])
    unit[at] = 1.0
    change = _derivative(function, arguments, index, unit, linear)
    return (upstream * change).reshape(len(upstream), -1)


class RunningGradient:
    """The gradients of a weight for every size of a batch: those of the first n examples.

    Args:
        function: its result's first axis is the batch.
        arguments: its arguments for the largest batch.
        index: which of them is the weight.
        upstream: the gradient of the result.
        linear: whether the function is linear in the weight.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        index: int,
        upstream: Any,
        linear: bool = False,
    ) -> None:
        weight = arguments[index]
        shape = (len(upstream), *weight.shape)
        self._value, self._magnitude = np.zeros(shape), np.zeros(shape)
        self._precision = 0.0 if linear else PRECISION
        for at in np.ndindex(*weight.shape):
            unit = np.zeros(weight.shape)
            unit[at] = 1.0
            change = _derivative(function, arguments, index, unit, linear)
            terms = (upstream * change).reshape(len(upstream), -1)
            of_all = (slice(None), *at)
            self._value[of_all] = np.cumsum(terms.sum(axis=1))
            self._magnitude[of_all] = np.cumsum(np.abs(terms).sum(axis=1))

    def of(self, size: int) -> Judgement:
        """Return the gradient for the first `size` examples."""
        if not size:
            zero = np.zeros(self._value.shape[1:])
            return Judgement(zero, zero)
        return judged(self._value[size - 1], self._magnitude[size - 1], self._precision)


def rounded(array: Any, dtype: Any) -> Any:
    """Return an array rounded to a type, as float64: what a device is given, and the judge too."""
    return np.asarray(array).astype(dtype).astype(np.float64)


def depth_limit(depth: int, base: float = 4.0) -> float:
    """Return the error that a sum of `depth` products may have, in epsilons of its magnitude.

    Rounding errors of a long sum mostly cancel: they grow as the root of its length. The bound of
    the worst case is its length.
    """
    return base + 2.0 * float(np.sqrt(depth))
