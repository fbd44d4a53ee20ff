"""Optimisers: every weight after every step, against their formulas in NumPy."""

import time
from typing import Any, Callable, Dict, Iterator, List, Tuple

from .. import numbers
from ..context import Context
from ..layering import variable
from ..lazy import np
from ..registry import CheckFailed, NotApplicable, check

Json = Dict[str, Any]
Formula = Callable[[Any, "List[Any]", bool], "Iterator[Any]"]

NEEDS = ("keras.optimizers", "function")
STEPS, RATE, EPSILON = 6, 0.05, 1e-7
SHAPES = ((1,), (17,), (4, 5))


def momentum(x: Any, gradients: "List[Any]", legacy: bool) -> "Iterator[Any]":
    """Yield the weights after each step of SGD with momentum 0.9."""
    speed = 0.0
    for g in gradients:
        speed = 0.9 * speed - RATE * g
        x = x + speed
        yield x


def plain(x: Any, gradients: "List[Any]", legacy: bool) -> "Iterator[Any]":
    """Yield the weights after each step of SGD."""
    for g in gradients:
        x = x - RATE * g
        yield x


def rmsprop(x: Any, gradients: "List[Any]", legacy: bool) -> "Iterator[Any]":
    """Yield the weights after each step of RMSprop."""
    square = 0.0
    for g in gradients:
        square = 0.9 * square + 0.1 * g * g
        x = x - RATE * g / np.sqrt(square + EPSILON)
        yield x


def adagrad(x: Any, gradients: "List[Any]", legacy: bool) -> "Iterator[Any]":
    """Yield the weights after each step of Adagrad."""
    total = 0.1
    for g in gradients:
        total = total + g * g
        x = x - RATE * g / np.sqrt(total + EPSILON)
        yield x


def adadelta(x: Any, gradients: "List[Any]", legacy: bool) -> "Iterator[Any]":
    """Yield the weights after each step of Adadelta."""
    square = moved = 0.0
    for g in gradients:
        square = 0.95 * square + 0.05 * g * g
        move = g * np.sqrt(moved + EPSILON) / np.sqrt(square + EPSILON)
        moved = 0.95 * moved + 0.05 * move * move
        x = x - RATE * move
        yield x


def adam(x: Any, gradients: "List[Any]", legacy: bool) -> "Iterator[Any]":
    """Yield the weights after each step of Adam."""
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        rate = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        x = x - rate * m / (np.sqrt(v) + EPSILON)
        yield x


def adamw(x: Any, gradients: "List[Any]", legacy: bool) -> "Iterator[Any]":
    """Yield the weights after each step of Adam with decoupled weight decay of 0.1."""
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        x = x - RATE * 0.1 * x
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        rate = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        x = x - rate * m / (np.sqrt(v) + EPSILON)
        yield x


def adamax(x: Any, gradients: "List[Any]", legacy: bool) -> "Iterator[Any]":
    """Yield the weights after each step of Adamax."""
    m = u = 0.0
    for t, g in enumerate(gradients, 1):
        m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, np.abs(g))
        x = x - RATE / (1 - 0.9**t) * m / (u + EPSILON)
        yield x


def nadam(x: Any, gradients: "List[Any]", legacy: bool) -> "Iterator[Any]":
    """Yield the weights after each step of Nadam; the schedule of old optimisers is slower."""
    power = 0.004 if legacy else 1.0

    def schedule(t: int) -> float:
        return float(0.9 * (1 - 0.5 * 0.96 ** (power * t)))

    m, v, product = 0.0, 0.0, 1.0  # type: Any, Any, float
    for t, g in enumerate(gradients, 1):
        product *= schedule(t)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        ahead = schedule(t + 1) * m / (1 - product * schedule(t + 1))
        now = (1 - schedule(t)) * g / (1 - product)
        x = x - RATE * (ahead + now) / (np.sqrt(v / (1 - 0.999**t)) + EPSILON)
        yield x


def ftrl(x: Any, gradients: "List[Any]", legacy: bool) -> "Iterator[Any]":
    """Yield the weights after each step of FTRL without regularisation."""
    total, linear = 0.1, 0.0  # type: Any, Any
    for g in gradients:
        after = total + g * g
        linear = linear + g - (np.sqrt(after) - np.sqrt(total)) / RATE * x
        total = after
        x = -linear * RATE / np.sqrt(total)
        yield x


def drawn(ctx: Context, shape: "Tuple[int, ...]") -> "Tuple[Any, List[Any]]":
    """Return a weight, and a gradient for each step, rounded to float32."""
    rng = ctx.rng(sum(shape))
    start = numbers.rounded(rng.normal(size=shape), "float32")
    sizes = [rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape) for _ in range(STEPS)]
    return start, [numbers.rounded(each, "float32") for each in sizes]


def compared(
    ctx: Context,
    build: "Callable[[], Any]",
    formula: Formula,
    shape: "Tuple[int, ...]",
    graph: bool,
) -> "List[str]":
    """Return what is wrong with the first wrong step of an optimiser."""
    tf = ctx.tf
    ctx.soft_placement(True)
    start, gradients = drawn(ctx, shape)
    with ctx.on(ctx.device):
        x = tf.Variable(tf.constant(start, "float32"))
        optimizer = build()

    def apply(gradient: Any) -> None:
        with ctx.on(ctx.device):
            optimizer.apply_gradients([(gradient, x)])

    # Its own variables are made in the first step, which a graph may not do in Keras 3.
    if hasattr(optimizer, "build"):
        with ctx.on(ctx.device):
            optimizer.build([x])
    run = tf.function(apply, autograph=False) if graph else apply
    legacy = not hasattr(optimizer, "build")
    for step, (gradient, right) in enumerate(zip(gradients, formula(start, gradients, legacy))):
        run(tf.constant(gradient, "float32"))
        comparison = numbers.measure(x, numbers.judged(right, floor=0.5), "float32", 64.0)
        if not comparison.ok:
            way = "in a graph" if graph else "eager"
            return ["{} {}, step {}: {}".format(shape, way, step + 1, comparison.why)]
    return []


def judged(ctx: Context, name: str, formula: Formula, **options: Any) -> Json:
    """Return the evidence of an optimiser that follows its formula.

    Raises:
        CheckFailed: it does not.
        NotApplicable: this release does not have it.
    """
    make = getattr(ctx.keras.optimizers, name, None)
    if make is None:
        raise NotApplicable("this release's Keras has no {}".format(name))
    problems = [
        problem
        for shape in SHAPES
        for graph in (False, True)
        for problem in compared(ctx, lambda: make(RATE, **options), formula, shape, graph)
    ]
    if problems:
        raise CheckFailed("; ".join(problems), problems=problems)
    return {"steps": STEPS, "shapes": SHAPES}


_ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": EPSILON}
_KERAS = (
    ("SGD", plain, {}, "tensorflow#55707"),
    ("momentum", momentum, {"momentum": 0.9}, ""),
    ("RMSprop", rmsprop, {"rho": 0.9, "epsilon": EPSILON}, ""),
    ("Adagrad", adagrad, {"initial_accumulator_value": 0.1, "epsilon": EPSILON}, ""),
    ("Adadelta", adadelta, {"rho": 0.95, "epsilon": EPSILON}, ""),
    ("Adam", adam, _ADAM, "tensorflow#50196"),
    ("AdamW", adamw, dict(_ADAM, weight_decay=0.1), "tensorflow#60652"),
    ("Adamax", adamax, _ADAM, ""),
    ("Nadam", nadam, _ADAM, ""),
    ("Ftrl", ftrl, {"initial_accumulator_value": 0.1}, ""),
)  # type: Tuple[Tuple[str, Formula, Json, str], ...]


def _register(title: str, formula: Formula, options: Json, issue: str) -> None:
    name = "SGD" if title == "momentum" else title

    def run(ctx: Context) -> Json:
        return judged(ctx, name, formula, **options)

    run.__doc__ = "{} follows its formula for six steps, eager and in a graph.".format(
        "SGD with momentum" if title == "momentum" else name
    )
    check("optimizers." + title.lower(), group="optimizers", issue=issue, needs=NEEDS)(run)


for _title, _formula, _options, _issue in _KERAS:
    _register(_title, _formula, _options, _issue)


def _apply(ctx: Context, op: str, variables: "List[Any]", arguments: Json) -> None:
    names = {
        "ResourceApplyGradientDescent": ("var",),
        "ResourceApplyKerasMomentum": ("var", "accum"),
        "ResourceApplyAdam": ("var", "m", "v"),
    }[op]
    handles = {name: each.handle for name, each in zip(names, variables)}
    with ctx.on(ctx.device):
        getattr(ctx.tf.raw_ops, op)(**dict(handles, **arguments))


@check("optimizers.fused", group="optimizers", needs=("raw_ops", "Variable"))
def check_fused(ctx: Context) -> Json:
    """TensorFlow's own kernels of a whole step follow the formulas; Keras 3 does without them."""
    tf = ctx.tf
    problems = []
    for op, formula in (
        ("ResourceApplyGradientDescent", plain),
        ("ResourceApplyKerasMomentum", momentum),
        ("ResourceApplyAdam", adam),
    ):
        start, gradients = drawn(ctx, (17,))
        with ctx.on(ctx.device):
            variables = [tf.Variable(tf.constant(start * (not i), "float32")) for i in range(3)]
        for step, right in enumerate(formula(start, gradients, False), 1):
            _apply(ctx, op, variables, _fused_arguments(op, step, gradients[step - 1], tf))
            comparison = numbers.measure(
                variables[0], numbers.judged(right, floor=0.5), "float32", 64
            )
            if not comparison.ok:
                problems.append("{}, step {}: {}".format(op, step, comparison.why))
                break
    if problems:
        raise CheckFailed("; ".join(problems), problems=problems)
    return {"steps": STEPS}


def _fused_arguments(op: str, step: int, gradient: Any, tf: Any) -> Json:
    rate, gradient = tf.constant(RATE), tf.constant(gradient, "float32")
    if op == "ResourceApplyGradientDescent":
        return {"alpha": rate, "delta": gradient}
    if op == "ResourceApplyKerasMomentum":
        return {"lr": rate, "grad": gradient, "momentum": tf.constant(0.9)}
    return {
        "beta1_power": tf.constant(0.9**step, "float32"),
        "beta2_power": tf.constant(0.999**step, "float32"),
        "lr": rate,
        "beta1": tf.constant(0.9),
        "beta2": tf.constant(0.999),
        "epsilon": tf.constant(EPSILON),
        "grad": gradient,
    }


@check("optimizers.rows", group="optimizers", needs=NEEDS)
def check_rows(ctx: Context) -> Json:
    """Of an embedding, SGD moves the rows that were used, by the sum of their gradients."""
    tf = ctx.tf
    ctx.soft_placement(True)
    start = numbers.rounded(ctx.rng(3).normal(size=(7, 3)), "float32")
    with ctx.on(ctx.device):
        layer = ctx.keras.layers.Embedding(7, 3)
        layer(tf.constant([[0]]))
        layer.set_weights([start])
        optimizer = ctx.keras.optimizers.SGD(RATE)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(tf.constant([[5, 2, 5]])) * 3.0)
        weight = layer.trainable_weights[0]
        gradient = tape.gradient(loss, variable(weight))
        optimizer.apply_gradients([(gradient, weight)])
    right = start.copy()
    np.subtract.at(right, [5, 2, 5], RATE * 3.0)
    return numbers.compare(layer.get_weights()[0], right, "float32", 16.0, "the embedding")


ROUNDS, SLOWER = 15, 3.0
"""How often each is timed, and how many times as long tensorflow#59438 found."""


def _step_times(ctx: Context, device: str) -> "Tuple[float, float]":
    """Return the median seconds of a step of Keras' Adam, and of TensorFlow's own kernel of it."""
    tf = ctx.tf
    with ctx.on(device):
        weights = [tf.Variable(tf.ones([256, 256])) for _ in range(8)]
        moments = [[tf.Variable(tf.zeros([256, 256])) for _ in range(2)] for _ in weights]
        gradient = tf.ones([256, 256])
        optimizer = ctx.keras.optimizers.Adam(1e-4)
        if hasattr(optimizer, "build"):
            optimizer.build(weights)

    def by_keras() -> Any:
        with ctx.on(device):
            optimizer.apply_gradients([(gradient, each) for each in weights])
            return tf.add_n([each[0, 0] for each in weights])

    def by_kernel() -> Any:
        with ctx.on(device):
            for weight, (m, v) in zip(weights, moments):
                arguments = _fused_arguments("ResourceApplyAdam", 1, np.ones([256, 256]), tf)
                handles = {"var": weight.handle, "m": m.handle, "v": v.handle}
                tf.raw_ops.ResourceApplyAdam(**dict(arguments, **handles))
            return tf.add_n([each[0, 0] for each in weights])

    runs = [tf.function(by_keras, autograph=False), tf.function(by_kernel, autograph=False)]
    times = [[], []]  # type: List[List[float]]
    for _ in range(ROUNDS + 3):
        for run, taken in zip(runs, times):
            begun = time.perf_counter()
            run().numpy()  # devices work on by themselves until a value is asked for
            taken.append(time.perf_counter() - begun)
    return float(np.median(times[0][3:])), float(np.median(times[1][3:]))


@check(
    "optimizers.step_time",
    sets=("full",),
    group="optimizers",
    issue="tensorflow#59438",
    needs=NEEDS,
    virtual=False,
)
def check_step_time(ctx: Context) -> Json:
    """A step of Keras' Adam takes no three times as long as TensorFlow's kernel of the same."""
    ctx.soft_placement(True)
    keras, kernel = _step_times(ctx, ctx.device)
    keras_there, kernel_there = _step_times(ctx, ctx.reference)
    evidence = {
        "op_us": {"Adam of Keras": keras * 1e6, "ResourceApplyAdam": kernel * 1e6},
        "reference_us": {
            "Adam of Keras": keras_there * 1e6,
            "ResourceApplyAdam": kernel_there * 1e6,
        },
    }
    # A CPU takes longer too, since Keras' step is of many small operations.
    usual = max(1.0, keras_there / kernel_there)
    if not keras / kernel < SLOWER * usual:
        message = "it takes {:.1f} times as long, and on {} {:.1f} times"
        raise CheckFailed(
            message.format(keras / kernel, ctx.reference, keras_there / kernel_there), **evidence
        )
    return evidence
