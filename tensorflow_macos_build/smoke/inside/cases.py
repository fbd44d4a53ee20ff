"""Operations with the same in NumPy: what the parity checks sweep over sizes of a batch.

Each case has a batch as the first axis of its batched arguments and of its result, so that a judge
made for the largest batch holds for every smaller one.
"""

import math
from typing import Any, Callable, List, Sequence, Tuple

from . import judges
from .lazy import np

FLOATS = ("float32", "float64", "float16", "bfloat16")
ALL = (*FLOATS, "int32", "int64")


class Argument:
    """How an argument is made.

    Attributes:
        shape: of an example if it is batched.
        draw: `normal`; `positive` (0.5 to 2); `kink` (no closer to 0 than 0.25); `grid` (halves
            from -1 to 1) and `odd` (odd eighths): sums of products of grids with an odd one are
            never near 0; `distinct` (no two alike in an example).
        batched: whether its first axis is the batch.
        linear: whether the result is linear in it.
        differentiable: whether its gradient is asked for.
    """

    def __init__(
        self,
        shape: "Tuple[int, ...]",
        draw: str = "normal",
        batched: bool = True,
        linear: bool = False,
        differentiable: bool = True,
    ) -> None:
        self.shape, self.draw, self.batched, self.linear = shape, draw, batched, linear
        self.differentiable = differentiable

    def drawn(self, rng: Any, count: int) -> Any:
        """Return values for a batch of `count` examples."""
        shape = ((count,) if self.batched else ()) + self.shape
        if self.draw == "positive":
            return rng.uniform(0.5, 2.0, shape)
        if self.draw == "grid":
            return rng.randint(-2, 3, shape) / 2.0
        if self.draw == "odd":
            return rng.randint(-4, 4, shape) / 4.0 + 0.125
        if self.draw == "distinct":
            order = rng.uniform(size=(count, int(np.prod(self.shape)))).argsort(axis=1)
            return ((order - self.shape[0]) / 4.0).reshape(shape)
        if self.draw == "kink":
            return rng.uniform(0.25, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
        return rng.normal(size=shape)


class Case:
    """An operation and its judge.

    Attributes:
        name: what it is called in reports.
        call: takes the module and tensors.
        judge: takes arrays of float64.
        arguments: how its arguments are made.
        allowed: the error that is allowed, in epsilons.
        products: whether it adds up products, so that magnitudes are the judge of absolute values.
        elementwise: whether an element of the result depends on one of each argument.
        gradients: whether it has any.
        essential: whether no training goes without it: the device has to have it.
        types: those that it is tried in.
        windows: whether it slides a window: oneDNN's kernels give empty batches wrong shapes.
    """

    def __init__(
        self,
        name: str,
        call: "Callable[..., Any]",
        judge: "Callable[..., Any]",
        arguments: "Sequence[Argument]",
        allowed: float = 6.0,
        products: bool = False,
        elementwise: bool = False,
        gradients: bool = True,
        essential: bool = False,
        types: "Tuple[str, ...]" = FLOATS,
        windows: bool = False,
    ) -> None:
        self.windows = windows
        self.name, self.call, self.judge, self.arguments = name, call, judge, list(arguments)
        self.allowed, self.products, self.elementwise = allowed, products, elementwise
        self.gradients, self.essential, self.types = gradients, essential, types


def cases(dtype: str) -> "List[Case]":
    """Return the cases that are tried in a type."""
    every = _unary() + _binary() + _reductions() + _products() + _moves() + _losses()
    return [case for case in every if dtype in case.types]


def _one(draw: str) -> "List[Argument]":
    return [Argument((3,), draw)]


def _two(first: str, second: str) -> "List[Argument]":
    return [Argument((3,), first), Argument((3,), second)]


def _named(name: str) -> "Callable[..., Any]":
    """Return a call of a function by its path in the module, such as `nn.relu`."""

    def call(tf: Any, *arguments: Any) -> Any:
        target = tf
        for part in name.split("."):
            target = getattr(target, part)
        return target(*arguments)

    return call


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
        _named(name),
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
            _one("kink"),
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
            _two("grid", "odd"),
            0.0,
            gradients=False,
            types=ALL,
        ),
        Case(
            "where",
            lambda tf, x, y: tf.where(x > 0, x, y),
            lambda x, y: np.where(x > 0, x, y),
            _two("kink", "normal"),
            0.0,
            elementwise=True,
            types=ALL,
        ),
    ]


def _reductions() -> "List[Case]":
    def along(name: str) -> "Callable[..., Any]":
        return lambda tf, x: getattr(tf, name)(x, axis=1)

    row = [Argument((17,), linear=True)]
    return [
        Case(
            "reduce_sum",
            along("reduce_sum"),
            lambda x: x.sum(axis=1),
            row,
            12.0,
            products=True,
            essential=True,
            types=ALL,
        ),
        Case(
            "reduce_mean",
            along("reduce_mean"),
            lambda x: x.mean(axis=1),
            row,
            12.0,
            products=True,
            essential=True,
        ),
        Case(
            "reduce_max",
            along("reduce_max"),
            lambda x: x.max(axis=1),
            _row(7, "distinct"),
            0.0,
            types=ALL,
        ),
        Case(
            "reduce_min",
            along("reduce_min"),
            lambda x: x.min(axis=1),
            _row(7, "distinct"),
            0.0,
            types=ALL,
        ),
        Case("reduce_prod", along("reduce_prod"), lambda x: x.prod(axis=1), _row(5, "positive")),
        Case(
            "reduce_logsumexp",
            along("reduce_logsumexp"),
            lambda x: np.log(np.exp(x).sum(axis=1)),
            _row(7),
            24.0,
        ),
        Case("softmax", _named("nn.softmax"), judges.softmax, _row(7), 24.0, essential=True),
        Case(
            "log_softmax",
            _named("nn.log_softmax"),
            lambda x: np.log(judges.softmax(x)),
            _row(7),
            24.0,
        ),
        Case(
            "cumsum",
            lambda tf, x: tf.cumsum(x, axis=1),
            lambda x: x.cumsum(axis=1),
            row,
            12.0,
            products=True,
        ),
        Case(
            "argmax",
            lambda tf, x: tf.cast(tf.argmax(x, axis=1), x.dtype),
            lambda x: x.argmax(axis=1).astype(x.dtype),
            _row(7, "distinct"),
            0.0,
            gradients=False,
        ),
    ]


def _row(size: int, draw: str = "normal") -> "List[Argument]":
    return [Argument((size,), draw)]


def _products() -> "List[Case]":
    def matmul(transposed: bool) -> "Callable[..., Any]":
        return lambda tf, x, w: tf.matmul(x, w, transpose_b=transposed)

    def dense(tf: Any, x: Any, w: Any, b: Any) -> Any:
        return tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w), b))

    matrix = Argument((7, 5), batched=False, linear=True)
    x = Argument((7,), linear=True)
    return [
        *_windows(),
        _product("matmul", matmul(False), lambda x, w: x.dot(w), [x, matrix], essential=True),
        _product(
            "matmul_transposed",
            matmul(True),
            lambda x, w: x.dot(w.T),
            [x, Argument((5, 7), batched=False, linear=True)],
        ),
        _product(
            "batch_matmul",
            _named("matmul"),
            np.matmul,
            [Argument((3, 4)), Argument((4, 2))],
            essential=True,
        ),
        _product(
            "bias_add",
            _named("nn.bias_add"),
            lambda x, b: x + b,
            [Argument((4, 5)), Argument((5,), batched=False)],
            essential=True,
        ),
        # A graph's optimiser makes one kernel of these three.
        Case(
            "dense_relu",
            dense,
            lambda x, w, b: np.maximum(x.dot(w) + b, 0),
            [Argument((7,), "grid"), _like(matrix, "grid"), Argument((5,), "odd", False)],
            12.0,
            essential=True,
        ),
    ]


def _like(argument: Argument, draw: str) -> Argument:
    return Argument(argument.shape, draw, argument.batched)


def _product(
    name: str,
    call: "Callable[..., Any]",
    judge: "Callable[..., Any]",
    arguments: "Sequence[Argument]",
    allowed: float = 12.0,
    essential: bool = False,
) -> Case:
    return Case(name, call, judge, arguments, allowed, products=True, essential=essential)


def _filter(*shape: int) -> Argument:
    return Argument(tuple(shape), batched=False, linear=True)


def _windows() -> "List[Case]":
    image = Argument((4, 5, 2), linear=True)

    def conv(stride: int, padding: str, rate: int) -> "Callable[..., Any]":
        return lambda tf, x, w: tf.nn.conv2d(x, w, stride, padding, dilations=rate)

    def judged(stride: int, padding: str, rate: int) -> "Callable[..., Any]":
        return lambda x, w: judges.convolution(
            x, judges.dilated(w, (rate, rate)), (stride, stride), padding
        )

    def fused(tf: Any, x: Any, w: Any, b: Any) -> Any:
        return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, 1, "SAME"), b))

    def fused_judge(x: Any, w: Any, b: Any) -> Any:
        return np.maximum(judges.convolution(x, w, (1, 1), "SAME") + b, 0)

    kernel = _filter(3, 2, 2, 2)
    every = [
        _product("conv2d", conv(1, "SAME", 1), judged(1, "SAME", 1), [image, kernel], 16.0, True),
        _product("conv2d_strided", conv(2, "SAME", 1), judged(2, "SAME", 1), [image, kernel], 16.0),
        _product("conv2d_valid", conv(1, "VALID", 1), judged(1, "VALID", 1), [image, kernel], 16.0),
        Case(
            "conv2d_dilated",
            conv(1, "VALID", 2),
            judged(1, "VALID", 2),
            [image, _filter(2, 2, 2, 2)],
            16.0,
            products=True,
            gradients=False,  # a CPU has none in 2.4, and none for halves later
        ),
        Case(
            "conv2d_relu",
            fused,
            fused_judge,
            [Argument((3, 3, 2), "grid"), _like(kernel, "grid"), Argument((2,), "odd", False)],
            16.0,
            essential=True,
        ),
        _product(
            "conv1d",
            lambda tf, x, w: tf.nn.conv1d(x, w, 1, "SAME"),
            lambda x, w: judges.convolution(x, w, (1,), "SAME"),
            [Argument((7, 2), linear=True), _filter(3, 2, 3)],
            16.0,
        ),
        _product(
            "depthwise_conv2d",
            lambda tf, x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME"),
            lambda x, w: judges.depthwise(x, w, (1, 1), "SAME"),
            [image, _filter(3, 3, 2, 2)],
            16.0,
        ),
        _pool("max_pool2d", judges.max_pool, False),
        _pool("avg_pool2d", judges.average_pool, True),
    ]
    for case in every:
        case.windows = True
    return every


def _pool(name: str, judge: "Callable[..., Any]", linear: bool) -> Case:
    return Case(
        name,
        lambda tf, x: getattr(tf.nn, name)(x, 2, 2, "SAME"),
        lambda x: judge(x, (2, 2), (2, 2), "SAME"),
        [Argument((3, 4, 2), "normal" if linear else "distinct", linear=linear)],
        12.0,
        products=linear,
        essential=True,
    )


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
            _two("normal", "positive"),
            24.0,
            elementwise=True,
        ),
    ]
