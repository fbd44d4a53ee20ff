"""Operations that add up products: matrices, convolutions, pools."""

from typing import Any, Callable, List

from . import judges
from .case import Argument, Case, like, named, product
from .lazy import np


def products() -> "List[Case]":
    """Return the operations that add up products, and the pools that slide windows as they do."""

    def matmul(transposed: bool) -> "Callable[..., Any]":
        return lambda tf, x, w: tf.matmul(x, w, transpose_b=transposed)

    def dense(tf: Any, x: Any, w: Any, b: Any) -> Any:
        return tf.nn.relu(tf.nn.bias_add(tf.matmul(x, w), b))

    matrix = Argument((7, 5), batched=False, linear=True)
    x = Argument((7,), linear=True)
    return [
        *_windows(),
        product("matmul", matmul(False), lambda x, w: x.dot(w), [x, matrix], essential=True),
        product(
            "matmul_transposed",
            matmul(True),
            lambda x, w: x.dot(w.T),
            [x, Argument((5, 7), batched=False, linear=True)],
        ),
        product(
            "batch_matmul",
            named("matmul"),
            np.matmul,
            [Argument((3, 4)), Argument((4, 2))],
            essential=True,
        ),
        product(
            "bias_add",
            named("nn.bias_add"),
            lambda x, b: x + b,
            [Argument((4, 5)), Argument((5,), batched=False)],
            essential=True,
        ),
        # A graph's optimiser makes one kernel of these three.
        Case(
            "dense_relu",
            dense,
            lambda x, w, b: np.maximum(x.dot(w) + b, 0),
            [Argument((7,), "grid"), like(matrix, "grid"), Argument((5,), "odd", False)],
            12.0,
            essential=True,
        ),
    ]


def _filter(*shape: int) -> Argument:
    return Argument(tuple(shape), batched=False, linear=True)


_IMAGE = Argument((4, 5, 2), linear=True)
_KERNEL = _filter(3, 2, 2, 2)


def _windows() -> "List[Case]":
    """Return the operations whose windows slide over an image, or a row."""
    every = [
        *_convolutions(),
        _fused_convolution(),
        product(
            "conv1d",
            lambda tf, x, w: tf.nn.conv1d(x, w, 1, "SAME"),
            lambda x, w: judges.convolution(x, w, (1,), "SAME"),
            [Argument((7, 2), linear=True), _filter(3, 2, 3)],
            16.0,
        ),
        product(
            "depthwise_conv2d",
            lambda tf, x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME"),
            lambda x, w: judges.depthwise(x, w, (1, 1), "SAME"),
            [_IMAGE, _filter(3, 3, 2, 2)],
            16.0,
        ),
        _pool("max_pool2d", judges.max_pool, False),
        _pool("avg_pool2d", judges.average_pool, True),
    ]
    for case in every:
        case.windows = True
    return every


def _convolutions() -> "List[Case]":
    """Return plain convolutions: strided, without a margin, dilated."""

    def conv(stride: int, padding: str, rate: int) -> "Callable[..., Any]":
        return lambda tf, x, w: tf.nn.conv2d(x, w, stride, padding, dilations=rate)

    def judged(stride: int, padding: str, rate: int) -> "Callable[..., Any]":
        return lambda x, w: judges.convolution(
            x, judges.dilated(w, (rate, rate)), (stride, stride), padding
        )

    operands = [_IMAGE, _KERNEL]
    return [
        product("conv2d", conv(1, "SAME", 1), judged(1, "SAME", 1), operands, 16.0, True),
        product("conv2d_strided", conv(2, "SAME", 1), judged(2, "SAME", 1), operands, 16.0),
        product("conv2d_valid", conv(1, "VALID", 1), judged(1, "VALID", 1), operands, 16.0),
        Case(
            "conv2d_dilated",
            conv(1, "VALID", 2),
            judged(1, "VALID", 2),
            [_IMAGE, _filter(2, 2, 2, 2)],
            16.0,
            products=True,
            gradients=False,  # a CPU has none in 2.4, and none for halves later
        ),
    ]


def _fused_convolution() -> Case:
    """Return a convolution with its bias and ReLU, of which a graph's optimiser makes one."""

    def fused(tf: Any, x: Any, w: Any, b: Any) -> Any:
        return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, 1, "SAME"), b))

    def judge(x: Any, w: Any, b: Any) -> Any:
        return np.maximum(judges.convolution(x, w, (1, 1), "SAME") + b, 0)

    return Case(
        "conv2d_relu",
        fused,
        judge,
        [Argument((3, 3, 2), "grid"), like(_KERNEL, "grid"), Argument((2,), "odd", False)],
        16.0,
        essential=True,
    )


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
