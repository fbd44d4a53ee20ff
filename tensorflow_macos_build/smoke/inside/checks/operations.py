"""Operations, forward and backward, in each type: every element against NumPy in float64."""

from typing import Any, Callable, Dict, List

from .. import cases, parity
from ..context import Context
from ..registry import CheckFailed, NotApplicable, check

Json = Dict[str, Any]

MOST_SHOWN = 12


def judged_cases(ctx: Context, dtype: str, largest: int) -> "List[parity.Parity]":
    """Return the judgement of every case in a type."""
    storage = ctx.tf.as_dtype(dtype).as_numpy_dtype
    return [
        parity.Parity(case, dtype, storage, ctx.rng(number), largest)
        for number, case in enumerate(cases.cases(dtype))
    ]


def tensors(ctx: Context, judged: "parity.Parity", size: int) -> "List[Any]":
    """Return a case's arguments on the device that is tried."""
    return [ctx.tf.constant(each, judged.dtype) for each in judged.batch(size)]


def differentiated(ctx: Context, judged: "parity.Parity", arguments: "List[Any]") -> "List[Any]":
    """Return the result of a case and its gradients."""
    tf = ctx.tf
    if not judged.differentiable:
        return [judged.case.call(tf, *arguments)]
    watched = [arguments[index] for index in judged.watched]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        result = judged.case.call(tf, *arguments)
    upstream = tf.constant(judged.upstream, judged.dtype)[: tf.shape(arguments[0])[0]]
    return [result, *tape.gradient(result, watched, output_gradients=upstream)]


def eager(ctx: Context, dtype: str) -> Json:
    """Return the evidence of every case, called one by one."""
    tried = parity.sizes(ctx.quick, eager=True, dtype=dtype)
    problems, missing, worst = [], [], {}  # type: List[str], List[str], Dict[str, Any]
    for judged in judged_cases(ctx, dtype, max(tried)):
        absent = without_kernel(ctx, judged)
        if absent:
            missing.append(judged.case.name)
            if judged.case.essential and dtype == "float32":
                problems.append("{} has no kernel there: {}".format(judged.case.name, absent))
            continue
        problems += swept(ctx, judged, allowed_sizes(ctx, judged, tried))
        worst[judged.case.name] = judged.errors()
    if not worst:
        raise NotApplicable("the device has no kernel for {}".format(dtype))
    return settled(problems, {"errors_eps": worst, "no_kernel": missing, "sizes": tried})


def swept(ctx: Context, judged: "parity.Parity", tried: "List[int]") -> "List[str]":
    """Return what is wrong with a case, of the first size at which something is."""
    for size in tried:
        problems = judged_eagerly(ctx, judged, size)
        if problems:
            return problems
    return []


def allowed_sizes(ctx: Context, judged: "parity.Parity", tried: "List[int]") -> "List[int]":
    """Return the sizes without the empty one where TensorFlow is known to be wrong at it."""
    # oneDNN, in Linux wheels from 2.9 on: conv2d of (0, 4, 5, 2) has its shape, and the gradient
    # of max_pool2d aborts in a graph (both seen in 2.20.0).
    onednn = judged.case.windows and ctx.device.startswith("CPU")
    # depthwise_conv_grad_op.cc returns at an empty batch and leaves the gradient as memory was, for
    # whichever device it runs on.
    unwritten = judged.case.name.startswith("depthwise")
    return [size for size in tried if size or not (onednn or unwritten)]


def without_kernel(ctx: Context, judged: "parity.Parity") -> str:
    """Return why the device cannot be made to compute a case; empty if it computes it.

    Soft placement, which would quietly take another device, is off meanwhile.
    """
    tf = ctx.tf
    ctx.soft_placement(False)
    try:
        with ctx.on(ctx.device):
            result = judged.case.call(tf, *tensors(ctx, judged, 3))
        return "" if on_device(ctx, result) else "it ran on {}".format(result.device)
    # Either, by release: no kernel for the device, or none for the type.
    except (tf.errors.NotFoundError, tf.errors.InvalidArgumentError) as error:
        return str(error).partition("\n")[0][:300]
    finally:
        ctx.soft_placement(True)


def on_device(ctx: Context, tensor: Any) -> bool:
    """Whether an eager operation's result names the device that is tried."""
    return str(tensor.device).partition("device:")[2] == ctx.device


def judged_eagerly(ctx: Context, judged: "parity.Parity", size: int) -> "List[str]":
    """Return what is wrong with a case at one size of a batch."""
    try:
        with ctx.on(ctx.device):
            results = differentiated(ctx, judged, tensors(ctx, judged, size))
    except (ctx.tf.errors.OpError, ValueError) as error:
        return ["{}, batch {}: {}".format(judged.case.name, size, str(error)[:300])]
    return list(judged.problems(size, results[0], results[1:]))


def settled(problems: "List[str]", evidence: Json) -> Json:
    """Return the evidence.

    Raises:
        CheckFailed: there are problems.
    """
    if problems:
        more = len(problems) - MOST_SHOWN
        rest = ["and {} more".format(more)] if more > 0 else []
        raise CheckFailed("; ".join(problems[:MOST_SHOWN] + rest), problems=problems, **evidence)
    return evidence


def graph(ctx: Context, dtype: str) -> Json:
    """Return the evidence of every case, all of them in one graph."""
    ctx.soft_placement(True)
    tried = parity.sizes(ctx.quick, eager=False)[1:]  # the empty one is tried eagerly
    judged = judged_cases(ctx, dtype, max(tried))
    program = compiled(ctx, judged)
    wrong = {}  # type: Dict[str, List[str]]
    for size in tried:
        given = [tensors(ctx, each, size) for each in judged]
        for each, results in zip(judged, program(given)):
            problems = list(each.problems(size, results[0], results[1:]))
            if problems:
                wrong.setdefault(each.case.name, problems)
    worst = {each.case.name: each.errors() for each in judged}
    problems = [problem for case in wrong.values() for problem in case]
    return settled(problems, {"errors_eps": worst, "sizes": [min(tried), max(tried), len(tried)]})


def compiled(ctx: Context, judged: "List[parity.Parity]") -> "Callable[[Any], Any]":
    """Return a function that computes all cases on the device, traced for any size of a batch."""
    tf = ctx.tf

    def program(given: Any) -> Any:
        with ctx.on(ctx.device):
            return [
                differentiated(ctx, each, each_given) for each, each_given in zip(judged, given)
            ]

    signature = [
        [
            tf.TensorSpec(((None,) if argument.batched else ()) + argument.shape, each.dtype)
            for argument in each.case.arguments
        ]
        for each in judged
    ]
    function = tf.function(program, input_signature=[signature], autograph=False)
    return function  # type: ignore[no-any-return]


@check("operations.float32", group="operations", issue="apple#25")
def check_float32(ctx: Context) -> Json:
    """Sixty operations and their gradients, eager, at sizes from empty to 1250, on the device."""
    return eager(ctx, "float32")


@check("operations.graph", group="operations", issue="apple#74")
def check_graph(ctx: Context) -> Json:
    """The same in one graph, where optimisers fuse them, at every size up to 40 and past it."""
    return graph(ctx, "float32")


@check("operations.float64", group="operations", virtual=False)
def check_float64(ctx: Context) -> Json:
    """The same operations in float64, eager."""
    return eager(ctx, "float64")


@check("operations.float16", group="operations", issue="tensorflow#57010", virtual=False)
def check_float16(ctx: Context) -> Json:
    """The same operations in float16, eager."""
    return eager(ctx, "float16")


@check("operations.bfloat16", group="operations", virtual=False)
def check_bfloat16(ctx: Context) -> Json:
    """The same operations in bfloat16, eager."""
    return eager(ctx, "bfloat16")


@check("operations.integers", group="operations", virtual=False)
def check_integers(ctx: Context) -> Json:
    """Arithmetic and moves of int32 and int64, exactly."""
    return {dtype: eager(ctx, dtype) for dtype in ("int32", "int64")}
