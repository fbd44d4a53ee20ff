"""Shapes at which kernels have been wrong: past 2^16, sorts of 16, and numbers that are none."""

from typing import Any, Dict, List, Tuple

from .. import judges, numbers
from ..context import Context
from ..lazy import np
from ..registry import CheckFailed, check

Json = Dict[str, Any]

LONG = (65535, 65536, 65537)


def refuse(problems: "List[str]") -> None:
    """Raise CheckFailed if there are problems."""
    if problems:
        raise CheckFailed("; ".join(problems[:12]), problems=problems)


def unequal(what: str, result: Any, right: Any) -> "List[str]":
    """Return what is wrong with a result that has to be exact."""
    comparison = numbers.measure(result, numbers.exact(right), "exact")
    return [] if comparison.ok else ["{}: {}".format(what, comparison.why)]


def unlike(what: str, result: Any, right: Any, allowed: float = 32.0) -> "List[str]":
    """Return what is wrong with a result in float32."""
    comparison = numbers.measure(result, right, "float32", allowed)
    return [] if comparison.ok else ["{}: {}".format(what, comparison.why)]


@check("shapes.long", group="shapes", issue="tensorflow#71577")
def check_long(ctx: Context) -> Json:
    """Axes of 2^16 elements, and of one less and one more, are right to their last element."""
    tf, problems = ctx.tf, []  # type: Any, List[str]
    drawn = numbers.rounded(ctx.rng(1).uniform(0.5, 1.5, LONG[-1]), "float32")
    for size in LONG:
        x = drawn[:size]
        with ctx.on(ctx.device):
            t = tf.constant(x, "float32")
            row, column = tf.reshape(t, [1, -1]), tf.reshape(t, [-1, 1])
            two = tf.constant([[2.0, -1.0]])
            results = [
                ("add", t + t, x + x),
                ("multiply", t * t, x * x),
                ("relu", tf.nn.relu(t - 1.0), np.maximum(x - 1, 0)),
                ("exp", tf.exp(t), np.exp(x)),
                ("reduce_sum", tf.reduce_sum(t), x.sum()),
                ("reduce_max", tf.reduce_max(t), x.max()),
                ("matmul of rows", tf.matmul(column, two), x[:, None] * np.array([[2.0, -1.0]])),
                ("matmul of columns", tf.matmul(tf.transpose(two), row), np.outer([2, -1], x)),
                ("matmul along", tf.matmul(row, column), np.array([[x.dot(x)]])),
                ("transpose", tf.transpose(tf.concat([column, -column], 1)), np.stack([x, -x])),
                ("gather", tf.gather(t, [size - 1, 0]), x[[size - 1, 0]]),
                ("bias_add", tf.nn.bias_add(row, t), 2 * x[None]),
                ("softmax", tf.nn.softmax(row), judges.softmax(x[None])),
            ]
        for name, result, right in results:
            problems += unlike("{} of {}".format(name, size), result, right, 128.0)
    refuse(problems)
    return {"sizes": LONG, "operations": len(results)}


@check("shapes.filters", group="shapes", issue="tensorflow#71577")
def check_filters(ctx: Context) -> Json:
    """A convolution with 2^16 filters, one less and one more has every channel right."""
    tf, rng, problems = ctx.tf, ctx.rng(2), []  # type: Any, Any, List[str]
    x = numbers.rounded(rng.normal(size=(1, 5, 2)), "float32")
    w = numbers.rounded(rng.normal(size=(3, 2, LONG[-1])), "float32")
    for filters in LONG:
        with ctx.on(ctx.device):
            part = tf.constant(w[:, :, :filters], "float32")
            result = tf.nn.conv1d(tf.constant(x, "float32"), part, 1, "VALID")
        right = judges.convolution(x, w[:, :, :filters], (1,))
        problems += unlike("conv1d of {} filters".format(filters), result, right)
    refuse(problems)
    return {"filters": LONG}


@check("shapes.sort", group="shapes", issue="tensorflow#51499")
def check_sort(ctx: Context) -> Json:
    """Sort, argsort and top_k are right for 1, 15, 16, 17 and 1025 values."""
    tf, rng, problems = ctx.tf, ctx.rng(3), []  # type: Any, Any, List[str]
    for size in (1, 2, 15, 16, 17, 33, 1025):
        x = np.stack([rng.permutation(size), rng.permutation(size)]).astype("float32")
        down = np.sort(x)[:, ::-1]
        with ctx.on(ctx.device):
            t = tf.constant(x)
            results = [
                ("sort", tf.sort(t), np.sort(x)),
                ("descending sort", tf.sort(t, direction="DESCENDING"), down),
                ("argsort", tf.argsort(t), np.argsort(x)),
            ]
            for k in sorted({1, size, min(size, 15), min(size, 16), min(size, 17)}):
                values, indices = tf.math.top_k(t, k)
                results += [("top_k {}".format(k), values, down[:, :k])]
                results += [("top_k {} index".format(k), indices, np.argsort(-x)[:, :k])]
        for name, result, right in results:
            problems += unequal("{} of {}".format(name, size), result, right)
    refuse(problems)
    return {"sizes": [1, 2, 15, 16, 17, 33, 1025]}


@check("shapes.scatter", group="shapes")
def check_scatter(ctx: Context) -> Json:
    """Gathers, scatters and sums of segments take and put every row where it belongs."""
    tf, rng, problems = ctx.tf, ctx.rng(4), []  # type: Any, Any, List[str]
    for size in (1, 15, 16, 17, 257):
        x = rng.randint(-50, 50, (size, 3)).astype("float32")
        order, segments = rng.permutation(size), rng.randint(0, 5, size)
        summed, scattered = np.zeros((5, 3)), np.zeros((size, 3))
        np.add.at(summed, segments, x)
        scattered[order] = x
        with ctx.on(ctx.device):
            t, index = tf.constant(x), tf.constant(order[:, None], "int32")
            results = [
                ("gather", tf.gather(t, tf.constant(order, "int32")), x[order]),
                ("gather_nd", tf.gather_nd(t, index), x[order]),
                ("scatter_nd", tf.scatter_nd(index, t, [size, 3]), scattered),
                ("update", tf.tensor_scatter_nd_update(-t, index, t), scattered),
                (
                    "segments",
                    tf.math.unsorted_segment_sum(t, tf.constant(segments, "int32"), 5),
                    summed,
                ),
                ("one_hot", tf.one_hot(tf.constant(segments, "int32"), 5), np.eye(5)[segments]),
                ("boolean_mask", tf.boolean_mask(t, segments > 1), x[segments > 1]),
            ]
        for name, result, right in results:
            problems += unequal("{} of {}".format(name, size), result, right)
    refuse(problems)
    return {"operations": [name for name, _, _ in results]}


@check("shapes.batch_sums", group="shapes")
def check_batch_sums(ctx: Context) -> Json:
    """Sums, means and extremes over the batch are right at each of its sizes, zero too."""
    tf, problems = ctx.tf, []  # type: Any, List[str]
    drawn = numbers.rounded(ctx.rng(5).uniform(0.5, 1.5, (1250, 3)), "float32")
    sizes = [*range(1, 35 if ctx.quick else 130), 255, 256, 257, 1000, 1024, 1250]
    for size in sizes:
        x = drawn[:size]
        with ctx.on(ctx.device):
            t = tf.constant(x, "float32")
            results = [
                ("reduce_sum", tf.reduce_sum(t, 0), x.sum(0)),
                ("reduce_mean", tf.reduce_mean(t), x.mean()),
                ("reduce_max", tf.reduce_max(t, 0), x.max(0)),
                ("reduce_min", tf.reduce_min(t, 0), x.min(0)),
                ("variance", tf.math.reduce_variance(t), x.var()),
            ]
        for name, result, right in results:
            problems += unlike("{} of {}".format(name, size), result, right, 64.0)
    with ctx.on(ctx.device):
        problems += unequal("reduce_sum of none", tf.reduce_sum(tf.zeros([0, 3]), 0), np.zeros(3))
    refuse(problems)
    return {"sizes": len(sizes)}


@check("shapes.special", group="shapes")
def check_special(ctx: Context) -> Json:
    """Infinities and NaN come out of operations where IEEE 754 has them, and nowhere else."""
    tf = ctx.tf
    x = np.array([np.nan, np.inf, -np.inf, 0.0, 1.0, -1.0])
    y = np.array([1.0, np.inf, 2.0, 0.0, np.nan, -1.0])
    with np.errstate(all="ignore"), ctx.on(ctx.device):
        a, b = tf.constant(x, "float32"), tf.constant(y, "float32")
        results = [
            ("add", a + b, x + y),
            ("subtract", a - b, x - y),
            ("multiply", a * b, x * y),
            ("divide", a / b, x / y),
            ("exp", tf.exp(a), np.exp(x)),
            ("log", tf.math.log(a), np.log(x)),
            ("sqrt", tf.sqrt(a), np.sqrt(x)),
            ("tanh", tf.tanh(a[:4]), np.tanh(x[:4])),
            ("is_nan", tf.cast(tf.math.is_nan(a), "float32"), np.isnan(x) * 1.0),
            ("is_finite", tf.cast(tf.math.is_finite(a), "float32"), np.isfinite(x) * 1.0),
            ("equal", tf.cast(a == b, "float32"), (x == y) * 1.0),
            ("reduce_sum", tf.reduce_sum(a[1:2]), np.inf),
        ]
    problems = []  # type: List[str]
    for name, result, right in results:
        problems += unlike(name, result, right)
    refuse(problems)
    return {"operations": [name for name, _, _ in results]}


def _casts(ctx: Context) -> "List[Tuple[str, Any, Any]]":
    tf = ctx.tf
    x = np.array([0.0, 1.0, -1.0, 2.5, -2.5, 100.25, 0.1])
    pairs = [("float32", "int32"), ("int32", "float32"), ("float32", "bool"), ("bool", "float32")]
    if not ctx.virtual:
        pairs += [("float32", "float16"), ("float16", "float32"), ("float32", "bfloat16")]
    made = []
    for before, after in pairs:
        given = x.astype(tf.as_dtype(before).as_numpy_dtype)
        with ctx.on(ctx.device):
            result = tf.cast(tf.constant(given), after)
        right = given.astype(tf.as_dtype(after).as_numpy_dtype)
        made.append(("{} to {}".format(before, after), result, numbers.as_float64(right)))
    return made


@check("shapes.constants", group="shapes", issue="tensorflow#57010")
def check_constants(ctx: Context) -> Json:
    """Constants and variables come back as they were put, in each type, and casts are exact."""
    ctx.soft_placement(True)  # a device need not have every cast
    tf, problems = ctx.tf, []  # type: Any, List[str]
    types = ("float32", "int32", "int64", "bool") + (() if ctx.virtual else ("float16", "bfloat16"))
    for dtype in types:
        for shape in ((), (1,), (0,), (2, 0), (17,), (3, 5)):
            values = numbers.rounded(ctx.rng(6).randint(0, 2, shape) * 0.5, "float32")
            array = np.asarray(values).astype(tf.as_dtype(dtype).as_numpy_dtype)
            with ctx.on(ctx.device):
                constant, kept = tf.constant(array), tf.identity(tf.Variable(array))
            for what, result in (("constant", constant), ("variable", kept)):
                name = "{} {} {}".format(what, dtype, shape)
                problems += unequal(name, result, numbers.as_float64(array))
    for name, result, right in _casts(ctx):
        problems += unequal(name, result, right)
    refuse(problems)
    return {"types": types}
