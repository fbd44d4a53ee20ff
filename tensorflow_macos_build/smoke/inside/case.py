"""One operation with the same in NumPy, and how its arguments are drawn."""

from typing import Any, Callable, List, Sequence, Tuple

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


def unary(draw: str) -> "List[Argument]":
    """Return the one argument of three numbers an example."""
    return [Argument((3,), draw)]


def binary(first: str, second: str) -> "List[Argument]":
    """Return two arguments of three numbers an example."""
    return [Argument((3,), first), Argument((3,), second)]


def row(size: int, draw: str = "normal") -> "List[Argument]":
    """Return the one argument of so many numbers an example."""
    return [Argument((size,), draw)]


def like(argument: Argument, draw: str) -> Argument:
    """Return an argument of the same shape that is drawn otherwise."""
    return Argument(argument.shape, draw, argument.batched)


def named(name: str) -> "Callable[..., Any]":
    """Return a call of a function by its path in the module, such as `nn.relu`."""

    def call(tf: Any, *arguments: Any) -> Any:
        target = tf
        for part in name.split("."):
            target = getattr(target, part)
        return target(*arguments)

    return call


def product(
    name: str,
    call: "Callable[..., Any]",
    judge: "Callable[..., Any]",
    arguments: "Sequence[Argument]",
    allowed: float = 12.0,
    essential: bool = False,
    types: "Tuple[str, ...]" = FLOATS,
) -> Case:
    """Return an operation that adds up products."""
    return Case(
        name, call, judge, arguments, allowed, products=True, essential=essential, types=types
    )
