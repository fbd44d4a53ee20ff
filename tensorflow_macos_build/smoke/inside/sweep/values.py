"""What a recipe may ask for as an input, and how numbers are made of it."""

import zlib
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np

Exact = NamedTuple("Exact", [("values", Any)])
"""These values, cast to the input's dtype."""

Within = NamedTuple("Within", [("shape", Tuple[int, ...]), ("low", float), ("high", float)])
"""Random numbers of a half-open interval."""

Made = NamedTuple(
    "Made", [("op", str), ("recipe", Dict[str, Any]), ("output", int), ("then", List["Then"])]
)
"""The output of another op, called on the same device just before, and what is then done to it."""

Then = NamedTuple("Then", [("op", str), ("argument", str), ("recipe", Dict[str, Any])])
"""An op that is called with a made handle as its argument, to put something there."""

ByType = NamedTuple("ByType", [("attr", str), ("types", Dict[str, Any])])
"""An attribute that follows another: its value by that one's type; the type itself by default."""

Variable = NamedTuple("Variable", [("value", Any), ("dtype", Optional[str])])
"""A resource variable of the op's own dtype (or of another), with a value."""

Value = Union[Tuple[int, ...], Exact, Within, Made, Variable]
"""A tuple is a shape, to be filled with what suits most ops."""

ANONYMOUS = "cd2c89b7-88b7-44c8-ad83-06c2a9158347"
"""The name of what is shared with nobody (ResourceHandle::ANONYMOUS_NAME, resource_handle.h); by
any other name every call would be given the variable of the one before."""

FILL = (-2.0, 2.0)
INTEGER_FILL = (1, 5)
"""Intervals of what a shape alone is filled with: no integer is 0, by which some ops divide."""


def exact(values: Any) -> Exact:
    """Return an input of these values."""
    return Exact(values)


def within(low: float, high: float, *shape: int) -> Within:
    """Return an input of random numbers from [low, high)."""
    return Within(shape, low, high)


def made(op: str, *then: Then, **recipe: Any) -> Made:
    """Return an input that is another op's first output."""
    return Made(op, recipe, 0, list(then))


def then(op: str, argument: str, **recipe: Any) -> Then:
    """Return what is done to a handle after it was made."""
    return Then(op, argument, recipe)


def by_type(attr: str, **types: Any) -> ByType:
    """Return an attribute that follows the type of another."""
    return ByType(attr, types)


def variable(value: Any = (4, 3), dtype: Optional[str] = None) -> Variable:
    """Return an input that is the handle of a variable."""
    return Variable(value, dtype)


def generator(name: str) -> Any:
    """Return a random generator that depends on a name alone, the same in every process."""
    return np.random.RandomState(zlib.crc32(name.encode()))


def numbers(value: Value, kind: str, random: Any) -> Any:
    """Return the numbers that a value asks for, as float64, int64, complex128, bool or bytes.

    Args:
        value: a shape, `Exact` or `Within`.
        kind: `f`, `c`, `i`, `b` or `s`: a number's kind, bool, or string.
        random: where random numbers come from.
    """
    if isinstance(value, Exact):
        array = np.array(value.values, dtype=object if kind == "s" else None)
        return np.vectorize(_text, otypes=[object])(array) if kind == "s" and array.size else array
    shape = value.shape if isinstance(value, Within) else tuple(value)
    if kind == "s":
        return np.array(
            [b"%d" % n for n in random.randint(0, 100, size=int(np.prod(shape)))], dtype=object
        ).reshape(shape)
    if kind == "b":
        return random.rand(*shape) < 0.5
    default = INTEGER_FILL if kind == "i" else FILL
    low, high = (value.low, value.high) if isinstance(value, Within) else default
    if kind == "i":
        return random.randint(int(low), max(int(high), int(low) + 1), size=shape)
    drawn = random.uniform(low, high, size=shape)
    return drawn + 1j * random.uniform(low, high, size=shape) if kind == "c" else drawn


def _text(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
