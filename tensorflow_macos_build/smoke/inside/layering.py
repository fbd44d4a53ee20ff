"""Keras layers on a device, forward and backward, against their judges in NumPy."""

from typing import Any, Callable, Dict, List, Sequence, Tuple

from . import numbers
from .context import Context
from .registry import CheckFailed

QUICK_SIZES, SIZES = (1, 3), (1, 2, 3, 5)


class Layer:
    """A layer and its judge.

    Attributes:
        name: what it is called in reports.
        build: returns the layer.
        judge: takes the inputs and the weights, as arrays of float64, in Keras' order.
        shapes: of an example of each input.
        allowed: the error that is allowed, in epsilons; gradients may have four times that.
        call: how the layer is called with its inputs; `layer(*inputs)` if there is one input.
        training: whether it is called as in training.
        draw: how inputs are drawn: `normal`; `integer` below 7, which have no gradient; `grid`,
            with weights and biases from which sums of products are never near 0, where an
            activation may have a kink.
    """

    def __init__(
        self,
        name: str,
        build: "Callable[[], Any]",
        judge: "Callable[..., Any]",
        shapes: "Sequence[Tuple[int, ...]]",
        allowed: float = 32.0,
        call: "Callable[..., Any]" = lambda layer, inputs, **options: layer(inputs[0], **options),
        training: bool = False,
        draw: str = "normal",
    ) -> None:
        self.name, self.build, self.judge, self.shapes = name, build, judge, list(shapes)
        self.allowed, self.call, self.training, self.draw = allowed, call, training, draw

    def inputs(self, rng: Any, size: int) -> "List[Any]":
        """Return inputs for a batch, rounded to float32."""
        if self.draw == "integer":
            return [rng.randint(0, 7, (size, *shape)) for shape in self.shapes]
        if self.draw == "grid":
            return [rng.randint(-2, 3, (size, *shape)) / 2.0 for shape in self.shapes]
        return [numbers.rounded(rng.normal(size=(size, *s)), "float32") for s in self.shapes]

    def weights(self, rng: Any, shapes: "Sequence[Tuple[int, ...]]") -> "List[Any]":
        """Return weights, rounded to float32."""
        if self.draw == "grid":
            return [
                rng.randint(-4, 4, shape) / 4.0 + 0.125
                if len(shape) == 1
                else rng.randint(-2, 3, shape) / 2.0
                for shape in shapes
            ]
        return [numbers.rounded(rng.uniform(-0.5, 0.5, shape), "float32") for shape in shapes]


def judged(
    ctx: Context, layers: "Sequence[Layer]", sizes: "Sequence[int]" = ()
) -> "Dict[str, Any]":
    """Return the evidence of layers that are right.

    Raises:
        CheckFailed: one is wrong.
    """
    problems = [problem for layer in layers for problem in examine(ctx, layer, sizes)]
    if problems:
        raise CheckFailed("; ".join(problems[:12]), problems=problems)
    return {"layers": [layer.name for layer in layers]}


def examine(ctx: Context, layer: Layer, sizes: "Sequence[int]" = ()) -> "List[str]":
    """Return what is wrong with a layer, eager and in a graph, at each size of a batch."""
    sizes = sizes or (QUICK_SIZES if ctx.quick else SIZES)
    ctx.soft_placement(True)
    problems = _examine(ctx, layer, sizes, ctx.device)
    if problems and ctx.device != ctx.reference and _examine(ctx, layer, sizes, ctx.reference):
        # A CPU can be the wrong side, as in tensorflow#106452.
        problems.append("{} is wrong on {}, too".format(layer.name, ctx.reference))
    return problems


def _examine(ctx: Context, layer: Layer, sizes: "Sequence[int]", device: str) -> "List[str]":
    rng = ctx.rng(len(layer.name))
    with ctx.on(device):
        made = layer.build()
        layer.call(made, _tensors(ctx, layer, layer.inputs(rng, 1)))
    weights = layer.weights(rng, [each.shape for each in made.get_weights()])
    made.set_weights(weights)
    problems: "Dict[str, List[str]]" = {}
    ways = _ways(ctx, layer, made, device)
    for size in sizes:
        inputs = layer.inputs(rng, size)
        judgement = _Judgement(layer, inputs, weights[: len(made.trainable_weights)], rng)
        for way, run in ways:
            made.set_weights(weights)
            wrong = judgement.problems(ctx, run)
            title = "{} {}, batch {}: ".format(layer.name, way, size)
            if wrong:
                problems.setdefault(way, [title + each for each in wrong])
    return [problem for way in problems.values() for problem in way]


def _ways(ctx: Context, layer: Layer, made: Any, device: str) -> "List[Tuple[str, Any]]":
    """Return how a layer is run: eager, and in a graph for any size of a batch."""
    tf = ctx.tf

    def run(inputs: Any, upstream: Any) -> Any:
        variables = list(made.trainable_weights)
        with ctx.on(device), tf.GradientTape() as tape:
            watched = [] if layer.draw == "integer" else list(inputs)
            tape.watch(watched)
            options = {"training": True} if layer.training else {}
            result = layer.call(made, inputs, **options)
            sources = watched + [variable(each) for each in variables]
        with ctx.on(device):
            gradients = tape.gradient(result, sources, output_gradients=upstream)
            return [result] + [tf.convert_to_tensor(each) for each in gradients]

    return [("eager", run), ("in a graph", tf.function(run, autograph=False))]


def variable(weight: Any) -> Any:
    """Return TensorFlow's variable of a weight: Keras 3 has ones of its own around them."""
    value = getattr(weight, "value", weight)
    return weight if callable(value) else value


def _tensors(ctx: Context, layer: Layer, inputs: "List[Any]") -> "List[Any]":
    dtype = "int32" if layer.draw == "integer" else "float32"
    return [ctx.tf.constant(each, dtype) for each in inputs]


class _Judgement:
    """What a layer's result and gradients have to be, of one batch."""

    def __init__(self, layer: Layer, inputs: "List[Any]", weights: "List[Any]", rng: Any) -> None:
        self._layer, self._inputs = layer, inputs
        arguments = inputs + weights
        value = layer.judge(*arguments)
        self._upstream = numbers.rounded(rng.uniform(0.5, 1.5, value.shape), "float32")
        first = len(inputs) if layer.draw == "integer" else 0
        gradients = numbers.at_least(
            [self._gradient(arguments, index) for index in range(first, len(arguments))]
        )
        self._judges = [("result", numbers.judged(value), layer.allowed)] + [
            ("gradient {}".format(first + number), gradient, 4 * layer.allowed)
            for number, gradient in enumerate(gradients)
        ]

    def _gradient(self, arguments: "List[Any]", index: int) -> "numbers.Judgement":
        # In training, an example's result may depend on the others.
        apart = index < len(self._inputs) and not self._layer.training
        function = numbers.batch_gradient if apart else numbers.gradient
        return function(self._layer.judge, arguments, index, self._upstream)

    def problems(self, ctx: Context, run: "Callable[..., Any]") -> "List[str]":
        """Return what is wrong with what a layer gives."""
        given = _tensors(ctx, self._layer, self._inputs)
        results = run(given, ctx.tf.constant(self._upstream, "float32"))
        if len(results) != len(self._judges):
            return ["{} results, not {}".format(len(results), len(self._judges))]
        compared = [
            (what, numbers.measure(result, judge, "float32", allowed))
            for result, (what, judge, allowed) in zip(results, self._judges)
        ]
        return [
            "{} {} ({:.3g} eps)".format(what, comparison.why, comparison.error)
            for what, comparison in compared
            if not comparison.ok
        ]
