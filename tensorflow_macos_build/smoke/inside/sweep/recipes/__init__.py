"""Inputs that ops take, by the op's name; an argument that no recipe names gets a usual value.

A recipe is a dictionary: an input's name to a value (`values.py`; a plain tuple is a shape), an
attribute's name to what it is. The names are those of the OpDefs.
"""

import re
from typing import Any, Dict

from ..values import exact, variable, within
from . import arrays, images, linear, maths, neural, quantized, randomness, sparse, state, text

RECIPES: Dict[str, Dict[str, Any]] = {}
"""Every recipe, by the op's name."""

for _module in (arrays, images, linear, maths, neural, quantized, randomness, sparse, state, text):
    for _names, _recipe in _module.RECIPES.items():
        for _op in _names.split():
            assert _op not in RECIPES, _op
            RECIPES[_op] = _recipe

_NAMED = (
    (r"reduction_indices|axis|dim|dimension|split_dim|concat_dim|reduction_axes", exact(0)),
    (
        r"lr|alpha|rho|beta[12]?|beta[12]_power|momentum|epsilon|sign_decay|logbase",
        within(0.1, 0.9),
    ),
    (r"l1|l2|l2_shrinkage", within(0.01, 0.1)),
    (r"lr_power", exact(-0.5)),
    (r"global_step", exact(1)),
    (r"seed", exact([1, 2])),
    (r"key", exact([1])),
    (r"counter", exact([1, 2])),
    (r"alg|algorithm", exact(1)),
    (r"(min|low)_?\w*|\w+_min|input_mins", exact(-1.0)),
    (r"(max|high)_?\w*|\w+_max|input_maxes", exact(1.0)),
    (r"\w*thresh(old)?", exact(0.5)),
)
"""What arguments of these names are in every op: scalars, ranges, keys of random numbers."""


STATE = (
    "var",
    "accum",
    "accum_update",
    "ms",
    "mom",
    "mg",
    "m",
    "v",
    "linear",
    "ref",
    "vhat",
    "gradient_accumulator",
    "gradient_squared_accumulator",
)
"""What optimisers' steps change, where it comes by reference."""


def default(op: str, name: str, resource: bool) -> Any:
    """Return the value of an argument that its op's recipe does not name."""
    if resource:
        return variable()
    if name in STATE:
        return (4, 3)
    for names, value in _NAMED:
        if re.fullmatch(names, name):
            return value
    return (4, 3) if op.startswith(("ResourceApply", "Apply", "Assign")) else (2, 3)
