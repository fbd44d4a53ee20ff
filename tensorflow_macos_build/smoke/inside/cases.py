"""Operations with the same in NumPy: what the parity checks sweep over sizes of a batch.

Each case has a batch as the first axis of its batched arguments and of its result, so that a judge
made for the largest batch holds for every smaller one.
"""

import math
from typing import Any, Callable, List, Sequence, Tuple

from . import judges
from .case import ALL, FLOATS, Argument, Case, binary, named, product, row, unary
from .lazy import np
from .products import products


def cases(dtype: str) -> "List[Case]":
    """Return the cases that are tried in a type."""
    every = _unary() + _binary() + _reductions() + products() + _moves() + _losses()
    return [case for case in every if dtype in case.types]


def _elementwise(
    name: str,
    judge: "Callable[..., Any]",
    draws: "Sequence[str]",
    allowed: float = 6.0,
    essential: bool = False,
    types: "Tuple[str, ...]" = FLOATS,
    gradients: bool = True,
) -> Case:
    arguments = [Argument((3,), draw) for draw in draws]
    title = name.rpartition(".")[2]
    return Case(
        title,
        named(name),
        judge,
        arguments,
        allowed,
        elementwise=True,
        essential=essential,
        types=types,
        gradients=gradients,
    )


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[float])(x)


def _unary() -> "List[Case]":
    def select(x: Any, low: Any) -> Any:
        return np.where(x > 0, x, low)

    alpha, scale = 1.6732632423543772, 1.0507009873554805  # of Klambauer et al., SELU
    return [
        _elementwise("abs", np.abs, ["kink"], 0.0, types=ALL),
        _elementwise("negative", np.negative, ["normal"], 0.0, types=ALL),
        _elementwise("square", np.square, ["normal"], 2.0, True, types=ALL),
        _elementwise("sqrt", np.sqrt, ["positive"], essential=True),
        _elementwise("math.rsqrt", lambda x: 1 / np.sqrt(x), ["positive"], 16.0, True),
        _elementwise("exp", np.exp, ["normal"], 16.0, True),
        _elementwise("math.log", np.log, ["positive"], 16.0, True),
        _elementwise("math.log1p", np.log1p, ["positive"], 16.0),
        _elementwise("math.expm1", np.expm1, ["normal"], 16.0),
        _elementwise("sin", np.sin, ["normal"]),
        _elementwise("cos", np.cos, ["normal"]),
        _elementwise("tanh", np.tanh, ["normal"], 16.0, True),
        _elementwise("sigmoid", judges.sigmoid, ["normal"], 16.0, True),
        _elementwise("math.erf", _erf, ["normal"], 16.0),
        _elementwise("math.reciprocal", lambda x: 1 / x, ["positive"], 8.0),
        _elementwise("nn.relu", lambda x: select(x, 0 * x), ["kink"], 0.0, True),
        _elementwise("nn.relu6", lambda x: np.clip(x, 0, 6), ["kink"], 0.0),
        Case(
            "leaky_relu",
            lambda tf, x: tf.nn.leaky_relu(x, 0.25),
            lambda x: select(x, 0.25 * x),
            unary("kink"),
            elementwise=True,
        ),
        _elementwise("nn.elu", lambda x: select(x, np.expm1(x)), ["kink"], 16.0),
        _elementwise("nn.selu", lambda x: scale * select(x, alpha * np.expm1(x)), ["kink"], 16.0),
        _elementwise("nn.softplus", lambda x: np.log1p(np.exp(x)), ["normal"], 16.0),
        _elementwise("nn.softsign", lambda x: x / (1 + np.abs(x)), ["kink"], 16.0),
        _elementwise("nn.silu", lambda x: x * judges.sigmoid(x), ["normal"], 16.0),
        _elementwise("floor", np.floor, ["normal"], 0.0, gradients=False),
        _elementwise("math.ceil", np.ceil, ["normal"], 0.0, gradients=False),
        _elementwise("round", np.round, ["normal"], 0.0, gradients=False),
        _elementwise("sign", np.sign, ["kink"], 0.0, gradients=False, types=ALL),
        _elementwise("identity", lambda x: x, ["normal"], 0.0, types=ALL),
    ]


def _binary() -> "List[Case]":
    return [
        _elementwise("add", np.add, ["normal"] * 2, essential=True, types=ALL),
        _elementwise("subtract", np.subtract, ["normal"] * 2, essential=True, types=ALL),
        _elementwise("multiply", np.multiply, ["normal"] * 2, essential=True, types=ALL),
        _elementwise("divide", np.divide, ["normal", "positive"], 8.0, True),
        _elementwise("pow", np.power, ["positive", "positive"], 32.0),
        _elementwise("maximum", np.maximum, ["grid", "odd"], 0.0, types=ALL),
        _elementwise("minimum", np.minimum, ["grid", "odd"], 0.0, types=ALL),
        _elementwise(
            "math.squared_difference", lambda x, y: (x - y) ** 2, ["normal", "kink"], 8.0, True
        ),
        _elementwise("atan2", np.arctan2, ["positive", "positive"], 16.0, types=FLOATS[:2]),
        Case(
            "add_row",  # broadcasting, whose gradient adds up
            lambda tf, x, y: x + y,
            lambda x, y: x + y,
            [Argument((5,)), Argument((5,), batched=False)],
            products=True,
            essential=True,
        ),
        Case(
            "greater",
            lambda tf, x, y: tf.cast(tf.greater(x, y), x.dtype),
            lambda x, y: (x > y).astype(x.dtype),
            binary("grid", "odd"),
            0.0,
            gradients=False,
            types=ALL,
        ),
        Case(
            "where",
            lambda tf, x, y: tf.where(x > 0, x, y),
            lambda x, y: np.where(x > 0, x, y),
            binary("kink", "normal"),
            0.0,
            elementwise=True,
            types=ALL,
        ),
    ]


def _reductions() -> "List[Case]":
    def along(name: str) -> "Callable[..., Any]":
        return lambda tf, x: getattr(tf, name)(x, axis=1)

    def extreme(name: str, judge: "Callable[..., Any]") -> Case:
        values = row(7, "distinct")
        return Case(name, along(name), lambda x: judge(x, axis=1), values, 0.0, types=ALL)

    example = [Argument((17,), linear=True)]

    def adding(name: str, judge: "Callable[..., Any]", **options: Any) -> Case:
        return product(name, along(name), lambda x: judge(x, axis=1), example, **options)

    return [
        adding("reduce_sum", np.sum, essential=True, types=ALL),
        adding("reduce_mean", np.mean, essential=True),
        extreme("reduce_max", np.max),
        extreme("reduce_min", np.min),
        Case("reduce_prod", along("reduce_prod"), lambda x: x.prod(axis=1), row(5, "positive")),
        Case(
            "reduce_logsumexp",
            along("reduce_logsumexp"),
            lambda x: np.log(np.exp(x).sum(axis=1)),
            row(7),
            24.0,
        ),
        Case("softmax", named("nn.softmax"), judges.softmax, row(7), 24.0, essential=True),
        Case(
            "log_softmax",
            named("nn.log_softmax"),
            lambda x: np.log(judges.softmax(x)),
            row(7),
            24.0,
        ),
        adding("cumsum", np.cumsum),
        Case(
            "argmax",
            lambda tf, x: tf.cast(tf.argmax(x, axis=1), x.dtype),
            lambda x: x.argmax(axis=1).astype(x.dtype),
            row(7, "distinct"),
            0.0,
            gradients=False,
        ),
    ]


def _moves() -> "List[Case]":
    grid = [Argument((3, 4))]

    def move(name: str, call: "Callable[..., Any]", judge: "Callable[..., Any]") -> Case:
        return Case(name, call, judge, grid, 0.0, types=ALL)

    return [
        move(
            "transpose",
            lambda tf, x: tf.transpose(x, [0, 2, 1]),
            lambda x: x.transpose(0, 2, 1),
        ),
        move(
            "concat",
            lambda tf, x: tf.concat([x, 2 * x], 1),
            lambda x: np.concatenate([x, 2 * x], 1),
        ),
        move(
            "pad",
            lambda tf, x: tf.pad(x, [[0, 0], [1, 2], [0, 1]]),
            lambda x: np.pad(x, [(0, 0), (1, 2), (0, 1)], "constant"),
        ),
        move("slice", lambda tf, x: x[:, 1:, ::2], lambda x: x[:, 1:, ::2]),
        move("reverse", lambda tf, x: tf.reverse(x, [1]), lambda x: x[:, ::-1]),
        move("stack", lambda tf, x: tf.stack([x, -x], 1), lambda x: np.stack([x, -x], 1)),
        move(
            "reshape",
            lambda tf, x: tf.reshape(x, [-1, 12]),
            lambda x: x.reshape(-1, 12),
        ),
        move("gather", lambda tf, x: tf.gather(x, [2, 0], axis=1), lambda x: x[:, [2, 0]]),
        move("tile", lambda tf, x: tf.tile(x, [1, 2, 1]), lambda x: np.tile(x, [1, 2, 1])),
        move(
            "unstack",
            lambda tf, x: tf.unstack(x, axis=1)[1],
            lambda x: x[:, 1],
        ),
    ]


def _losses() -> "List[Case]":
    def cross_entropy(x: Any, y: Any) -> Any:
        return -(judges.softmax(y) * np.log(judges.softmax(x))).sum(axis=1)

    def sparse(tf: Any, x: Any) -> Any:
        index = tf.math.floormod(tf.range(tf.shape(x)[0]), 5)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(index, x)

    def sparse_judge(x: Any) -> Any:
        return -np.log(judges.softmax(x))[np.arange(len(x)), np.arange(len(x)) % 5]

    return [
        Case(
            "softmax_cross_entropy",
            lambda tf, x, y: tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(y), x),
            cross_entropy,
            [Argument((5,)), Argument((5,), differentiable=False)],
            32.0,
            essential=True,
        ),
        Case(
            "sparse_softmax_cross_entropy",
            sparse,
            sparse_judge,
            [Argument((5,))],
            32.0,
            essential=True,
        ),
        Case(
            "sigmoid_cross_entropy",
            lambda tf, x, y: tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=x),
            lambda x, y: np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x))),
            binary("normal", "positive"),
            24.0,
            elementwise=True,
        ),
    ]
