"""Random numbers: they change, they repeat when seeded, and they are distributed as they say."""

from typing import Any, Callable, Dict, List, Tuple

from ..context import Context
from ..lazy import np
from ..registry import CheckFailed, NotApplicable, check

Json = Dict[str, Any]
Draw = Callable[[], Any]


def _draws(ctx: Context) -> "Dict[str, Draw]":
    tf = ctx.tf
    return {
        "uniform": lambda: tf.random.uniform([64]),
        "normal": lambda: tf.random.normal([64]),
        "truncated_normal": lambda: tf.random.truncated_normal([64]),
        "dropout": lambda: tf.nn.dropout(tf.ones([256]), 0.5),
        "shuffle": lambda: tf.random.shuffle(tf.range(64)),
    }


@check("random.draws", group="random", issue="tensorflow#56122")
def check_draws(ctx: Context) -> Json:
    """Two draws differ, eager and in a graph, and seeded ones repeat."""
    ctx.soft_placement(True)
    tf, problems = ctx.tf, []  # type: Any, List[str]
    for name, draw in _draws(ctx).items():
        for way, run in (("eager", draw), ("in a graph", tf.function(draw, autograph=False))):
            rows = []
            for _ in range(2):
                tf.random.set_seed(7)
                with ctx.on(ctx.device):
                    rows.append([run().numpy() for _ in range(3)])
            first, again = rows
            if any((a == b).all() for a, b in zip(first, first[1:])):
                problems.append("{} {} repeats itself".format(name, way))
            # A graph keeps the state that its first call has made.
            if way == "eager" and any((a != b).any() for a, b in zip(first, again)):
                problems.append("{} {} does not repeat with its seed".format(name, way))
    if problems:
        raise CheckFailed("; ".join(problems), problems=problems)
    return {"kinds": sorted(_draws(ctx))}


def _family(ctx: Context) -> "Dict[str, Draw]":
    tf, random = ctx.tf, ctx.tf.random
    seed = [3, 5]
    return {
        "uniform int32": lambda: random.uniform([9], 0, 5, "int32"),
        "uniform int64": lambda: random.uniform([9], 0, 5, "int64"),
        "stateless uniform": lambda: random.stateless_uniform([9], seed),
        "stateless int32": lambda: random.stateless_uniform([9], seed, 0, 5, "int32"),
        "stateless int64": lambda: random.stateless_uniform([9], seed, 0, 5, "int64"),
        "stateless full int32": lambda: random.stateless_uniform([9], seed, None, None, "int32"),
        "stateless normal": lambda: random.stateless_normal([9], seed),
        "stateless truncated": lambda: random.stateless_truncated_normal([9], seed),
        "generator uniform": lambda: random.Generator.from_seed(1).uniform([9]),
        "generator normal": lambda: random.Generator.from_seed(1).normal([9]),
        "generator integers": lambda: random.Generator.from_seed(1).uniform([9], 0, 5, "int32"),
        "generator skipped": lambda: _skipped(random),
        "gamma": lambda: random.gamma([9], 2.0),
        "poisson": lambda: random.poisson([9], 3.0),
        "categorical": lambda: random.categorical(tf.math.log([[0.2, 0.8]]), 9),
    }


def _skipped(random: Any) -> Any:
    generator = random.Generator.from_seed(1)
    generator.skip(10)
    return generator.uniform([9])


@check("random.family", group="random", issue="tensorflow#87972")
def check_family(ctx: Context) -> Json:
    """Every kind of random number can be drawn, and has its shape and its range."""
    ctx.soft_placement(True)
    problems = []  # type: List[str]
    for name, draw in _family(ctx).items():
        try:
            with ctx.on(ctx.device):
                drawn = draw().numpy()
        except ctx.tf.errors.OpError as error:
            problems.append("{}: {}".format(name, str(error)[:200]))
            continue
        within = ((drawn >= 0) & (drawn < 5)).all() or "int" not in name or "full" in name
        if drawn.size != 9 or not np.isfinite(drawn).all() or not within:
            problems.append("{} gave {}".format(name, drawn.tolist()))
    if problems:
        raise CheckFailed("; ".join(problems), problems=problems)
    return {"kinds": sorted(_family(ctx))}


def _moments(ctx: Context) -> "List[Tuple[str, Draw, float, float, float]]":
    """Return draws with their mean, their variance and their fourth central moment."""
    tf, size = ctx.tf, [200000]
    return [
        ("uniform", lambda: tf.random.uniform(size), 0.5, 1 / 12.0, 1 / 80.0),
        ("normal", lambda: tf.random.normal(size), 0.0, 1.0, 3.0),
        ("normal(1, 2)", lambda: tf.random.normal(size, 1.0, 2.0), 1.0, 4.0, 48.0),
        # Of a normal cut at 2 deviations: its variance is 1 - 4 f(2) / (2 F(2) - 1).
        ("truncated", lambda: tf.random.truncated_normal(size), 0.0, 0.7737413, 1.4161),
        (
            "coins",
            lambda: tf.cast(tf.random.uniform(size, 0, 2, "int32"), "float32"),
            0.5,
            0.25,
            1 / 16.0,
        ),
        ("dropout", lambda: tf.nn.dropout(tf.ones(size), 0.2), 1.0, 0.25, 0.203125),
    ]


SIGMAS = 6.0
"""A fair generator is off by more once in 5e8 draws; two figures of six kinds are looked at."""


@check("random.statistics", group="random")
def check_statistics(ctx: Context) -> Json:
    """Means, variances and the shape of 200,000 draws are within six standard errors."""
    ctx.soft_placement(True)
    problems, seen = [], {}  # type: List[str], Json
    ctx.tf.random.set_seed(11)
    for name, draw, mean, variance, fourth in _moments(ctx):
        with ctx.on(ctx.device):
            drawn = draw().numpy().astype("float64")
        count = drawn.size
        off = (drawn.mean() - mean) / np.sqrt(variance / count)
        spread = max(fourth - variance**2, 1e-3 * variance**2)
        off_variance = (((drawn - mean) ** 2).mean() - variance) / np.sqrt(spread / count)
        neighbours = ((drawn[1:] - mean) * (drawn[:-1] - mean)).mean() / variance * np.sqrt(count)
        seen[name] = [round(float(each), 2) for each in (off, off_variance, neighbours)]
        if not max(abs(off), abs(off_variance), abs(neighbours)) < SIGMAS:
            problems.append("{}: {} standard errors off".format(name, seen[name]))
    if problems:
        raise CheckFailed("; ".join(problems), sigmas=seen)
    return {"sigmas": seen}


@check("random.shape", group="random")
def check_shape(ctx: Context) -> Json:
    """Uniform and normal draws have the right share below each of seven bounds."""
    ctx.soft_placement(True)
    tf, problems, count = ctx.tf, [], 200000  # type: Any, List[str], int
    tf.random.set_seed(12)
    with ctx.on(ctx.device):
        uniform = tf.random.uniform([count]).numpy()
        normal = tf.random.normal([count]).numpy()
    if not (uniform.min() >= 0 and uniform.max() < 1):
        problems.append("uniform is not within [0, 1)")
    below = [0.0013499, 0.0227501, 0.1586553, 0.5, 0.8413447, 0.9772499, 0.9986501]
    for kind, drawn, bounds in (
        ("uniform", uniform, below),
        ("normal", normal, [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]),
    ):
        for bound, share in zip(bounds, below):
            off = ((drawn < bound).mean() - share) / np.sqrt(share * (1 - share) / count)
            if not abs(off) < SIGMAS:
                problems.append("{} below {}: {:.1f} standard errors off".format(kind, bound, off))
    if problems:
        raise CheckFailed("; ".join(problems), problems=problems)
    return {"draws": count}


@check("random.stateless_parity", group="random")
def check_stateless_parity(ctx: Context) -> Json:
    """Stateless draws are the same on the device as on the reference, as TensorFlow promises."""
    if ctx.device == ctx.reference:
        raise NotApplicable("the device is its own reference")
    ctx.soft_placement(True)
    random, problems = ctx.tf.random, []  # type: Any, List[str]
    draws = {
        "uniform": lambda seed: random.stateless_uniform([1000], seed),
        "integers": lambda seed: random.stateless_uniform([1000], seed, 0, 1000, "int32"),
        "normal": lambda seed: random.stateless_normal([1000], seed),
    }  # type: Dict[str, Callable[[List[int]], Any]]
    for name, draw in draws.items():
        # A second seed shows what is left of the first.
        for seed in ([1, 2], [3, 4]):
            drawn = []
            for device in (ctx.device, ctx.reference):
                with ctx.on(device):
                    drawn.append(draw(seed).numpy().astype("float64"))
            difference = float(np.abs(drawn[0] - drawn[1]).max())
            if not difference < 1e-5:
                problems.append("{} of {} differs by {:g}".format(name, seed, difference))
    if problems:
        raise CheckFailed("; ".join(problems), problems=problems)
    return {"draws": 1000}
