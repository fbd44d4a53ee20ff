"""Keras' layers, forward and backward, eager and in a graph, against NumPy in float64."""

from typing import Any, Callable, Dict, List, Tuple

from .. import judges
from ..context import Context
from ..layering import Layer, judged
from ..lazy import np
from ..registry import check

Json = Dict[str, Any]

NEEDS = ("keras.layers", "function", "GradientTape")


@check("layers.dense", group="layers", issue="tensorflow#92686", needs=NEEDS)
def check_dense(ctx: Context) -> Json:
    """A tiny dense layer gives what NumPy does with the same weights, and so do its gradients."""
    make = ctx.keras.layers.Dense
    return judged(
        ctx,
        [
            Layer("Dense", lambda: make(4), lambda x, w, b: x.dot(w) + b, [(3,)]),
            Layer("Dense of one unit", lambda: make(1), lambda x, w, b: x.dot(w) + b, [(1,)]),
            Layer("Dense over time", lambda: make(4), lambda x, w, b: x.dot(w) + b, [(3, 2)]),
        ],
    )


def _activation(ctx: Context, name: str, judge: "Callable[[Any], Any]", layer: str) -> Layer:
    keras = ctx.keras
    build: Any = {
        "alone": lambda: keras.layers.Activation(name),
        "of Dense": lambda: keras.layers.Dense(5, activation=name),
        "of Conv2D": lambda: keras.layers.Conv2D(2, 2, activation=name),
    }[layer]
    judgement: Any = {
        "alone": judge,
        "of Dense": lambda x, w, b: judge(x.dot(w) + b),
        "of Conv2D": lambda x, w, b: judge(judges.convolution(x, w, (1, 1)) + b),
    }[layer]
    draw = "normal" if layer == "alone" else "grid"
    shape = (3, 3, 2) if layer == "of Conv2D" else (4,)
    return Layer("{} {}".format(name, layer), build, judgement, [shape], draw=draw)


@check("layers.activations", group="layers", issue="tensorflow#62137", needs=NEEDS)
def check_activations(ctx: Context) -> Json:
    """Activations are right alone, and as part of a dense or a convolutional layer."""
    alpha, scale = 1.6732632423543772, 1.0507009873554805  # of Klambauer et al., SELU
    activations = {
        "relu": lambda x: np.maximum(x, 0),
        "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
        "selu": lambda x: scale * np.where(x > 0, x, alpha * np.expm1(x)),
        "tanh": np.tanh,
        "sigmoid": judges.sigmoid,
        "softplus": lambda x: np.log1p(np.exp(x)),
        "softmax": judges.softmax,
        "swish": lambda x: x * judges.sigmoid(x),
    }  # type: Dict[str, Callable[[Any], Any]]
    if ctx.keras_version >= 3:
        activations["silu"] = activations.pop("swish")
    everywhere = ("alone", "of Dense", "of Conv2D")
    kinds = {
        name: everywhere if name in ("relu", "elu") else everywhere[:1] for name in activations
    }
    return judged(
        ctx,
        [
            _activation(ctx, name, judge, kind)
            for name, judge in sorted(activations.items())
            for kind in kinds[name]
        ],
    )


def _convolution(
    name: str,
    build: "Callable[[], Any]",
    function: "Callable[..., Any]",
    shape: "Tuple[int, ...]",
    stride: int,
    padding: str,
) -> Layer:
    strides = (stride,) * (len(shape) - 1)
    return Layer(
        "{} {} stride {}".format(name, padding, stride),
        build,
        lambda x, w, b: function(x, w, strides, padding) + b,
        [shape],
    )


def _convolutions(ctx: Context, suffix: str, function: "Callable[..., Any]") -> "List[Layer]":
    made = []
    for axes, shape in ((1, (6, 2)), (2, (4, 5, 2)), (3, (3, 3, 3, 1))):
        make = getattr(ctx.keras.layers, "Conv{}D{}".format(axes, suffix))
        for stride, padding in ((1, "same"), (2, "valid"), (2, "same")):
            # Bound now: the layers are built when all of them are listed.
            def build(make: Any = make, stride: int = stride, padding: str = padding) -> Any:
                return make(2, 2, strides=stride, padding=padding)

            name = "Conv{}D{}".format(axes, suffix)
            made.append(_convolution(name, build, function, shape, stride, padding.upper()))
    return made


@check("layers.convolutions", group="layers", issue="tensorflow#106452", needs=NEEDS)
def check_convolutions(ctx: Context) -> Json:
    """Convolutions over 1 to 3 axes are right; if not, so is whether the reference is wrong."""
    return judged(ctx, _convolutions(ctx, "", judges.convolution))


@check("layers.transposed", group="layers", needs=NEEDS)
def check_transposed(ctx: Context) -> Json:
    """Transposed convolutions over 1 to 3 axes are right."""
    return judged(ctx, _convolutions(ctx, "Transpose", judges.transposed))


@check("layers.depthwise", group="layers", needs=NEEDS)
def check_depthwise(ctx: Context) -> Json:
    """Depthwise and separable convolutions are right."""
    layers = ctx.keras.layers

    def separable(x: Any, depth: Any, point: Any, b: Any) -> Any:
        between = judges.depthwise(x, depth, (1, 1), "VALID")
        return judges.convolution(between, point, (1, 1)) + b

    return judged(
        ctx,
        [
            _convolution(
                "DepthwiseConv2D",
                lambda: layers.DepthwiseConv2D(2, depth_multiplier=2, padding="same"),
                judges.depthwise,
                (4, 5, 2),
                1,
                "SAME",
            ),
            Layer("SeparableConv2D", lambda: layers.SeparableConv2D(3, 2), separable, [(3, 4, 2)]),
        ],
    )


@check("layers.pooling", group="layers", needs=NEEDS)
def check_pooling(ctx: Context) -> Json:
    """Pooling layers are right."""
    layers = ctx.keras.layers
    two = (2, 2)
    return judged(
        ctx,
        [
            Layer(
                "MaxPooling2D",
                lambda: layers.MaxPooling2D(2),
                lambda x: judges.max_pool(x, two, two, "VALID"),
                [(4, 5, 2)],
            ),
            Layer(
                "AveragePooling2D",
                lambda: layers.AveragePooling2D(2, padding="same"),
                lambda x: judges.average_pool(x, two, two, "SAME"),
                [(4, 5, 2)],
            ),
            Layer(
                "GlobalAveragePooling2D",
                layers.GlobalAveragePooling2D,
                lambda x: x.mean(axis=(1, 2)),
                [(3, 4, 2)],
            ),
        ],
    )


@check("layers.batch_norm", group="layers", issue="apple#231", needs=NEEDS)
def check_batch_norm(ctx: Context) -> Json:
    """Batch normalisation is right in training, over vectors and images."""
    make = ctx.keras.layers.BatchNormalization

    def judge(x: Any, gamma: Any, beta: Any) -> Any:
        return judges.batch_norm(x, gamma, beta, 1e-3)

    def layer(name: str, shape: "Tuple[int, ...]") -> Layer:
        return Layer(name, lambda: make(epsilon=1e-3), judge, [shape], 64.0, training=True)

    # One example of a vector has no variance: its result is beta.
    sizes = (2, 5) if ctx.quick else (2, 3, 5, 8)
    made = [layer("BatchNormalization", (4,)), layer("of images", (2, 3, 2))]
    return judged(ctx, made, sizes)


@check("layers.layer_norm", group="layers", issue="apple#248", needs=NEEDS)
def check_layer_norm(ctx: Context) -> Json:
    """Layer normalisation has the right result and one right gradient for each weight."""
    make = ctx.keras.layers.LayerNormalization
    return judged(
        ctx,
        [
            Layer(
                "LayerNormalization",
                lambda: make(epsilon=1e-3),
                lambda x, gamma, beta: judges.layer_norm(x, gamma, beta, 1e-3),
                [shape],
                64.0,
                training=True,
            )
            for shape in ((7,), (3, 5))
        ],
    )


@check("layers.attention", group="layers", needs=NEEDS)
def check_attention(ctx: Context) -> Json:
    """Dot-product and multi-head attention are right."""
    layers = ctx.keras.layers

    def heads(x: Any, y: Any, q: Any, qb: Any, k: Any, kb: Any, v: Any, vb: Any, *out: Any) -> Any:
        query = np.einsum("bsd,dhk->bhsk", x, q) + qb[:, None, :]
        key = np.einsum("bsd,dhk->bhsk", y, k) + kb[:, None, :]
        value = np.einsum("bsd,dhk->bhsk", y, v) + vb[:, None, :]
        mixed = judges.attention(query / np.sqrt(query.shape[-1]), value, key)
        return np.einsum("bhsk,hkd->bsd", mixed, out[0]) + out[1]

    return judged(
        ctx,
        [
            Layer(
                "Attention",
                layers.Attention,
                lambda x, y: judges.attention(x, y, y),
                [(3, 4), (5, 4)],
                64.0,
                call=lambda layer, inputs, **options: layer(list(inputs), **options),
            ),
            Layer(
                "MultiHeadAttention",
                lambda: layers.MultiHeadAttention(2, 3),
                heads,
                [(3, 4), (5, 4)],
                64.0,
                call=lambda layer, inputs, **options: layer(inputs[0], inputs[1], **options),
            ),
        ],
    )


@check("layers.embedding", group="layers", needs=NEEDS)
def check_embedding(ctx: Context) -> Json:
    """An embedding looks its rows up, and adds the gradients of rows that are used twice."""
    make = ctx.keras.layers.Embedding
    layer = Layer("Embedding", lambda: make(7, 3), lambda i, w: w[i], [(4,)], draw="integer")
    return judged(ctx, [layer])
