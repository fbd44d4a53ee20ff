"""Cases on a device for every size of a batch, each element against the judge."""

from typing import Any, Iterator, List, Sequence

from . import numbers
from .case import Case
from .lazy import np

QUICK_EAGER = (0, 1, 2, 3, 15, 16, 17, 20, 32, 33, 64, 1250)
QUICK_OTHERS = (0, 1, 3, 17, 64)
"""Those of other types than float32."""

NEIGHBOURS = (127, 128, 129, 255, 256, 257, 511, 512, 513, 1000, 1023, 1024, 1025, 1250)
"""Powers of two with the sizes beside them, and the batch of apple#25."""


def sizes(quick: bool, eager: bool, dtype: str = "float32") -> "List[int]":
    """Return the sizes of a batch that are tried: in full, each one up to 128, and `NEIGHBOURS`."""
    if quick and eager:
        return list(QUICK_EAGER if dtype == "float32" else QUICK_OTHERS)
    return list(range(41 if quick else 130)) + [each for each in NEIGHBOURS if quick or each > 130]


class Parity:
    """The judgement of a case in one type, for each size of a batch.

    Attributes:
        case: the case.
        arguments: those of the largest batch, rounded to the type.
        upstream: the gradient of the result that the gradients are of.
    """

    def __init__(self, case: Case, dtype: str, storage: Any, rng: Any, largest: int) -> None:
        self.case, self.dtype = case, dtype
        if dtype.startswith("int"):
            drawn = [np.round(4 * each.drawn(rng, largest)) for each in case.arguments]
        else:
            drawn = [each.drawn(rng, largest) for each in case.arguments]
        self.arguments = [numbers.rounded(each, storage) for each in drawn]
        value = np.asarray(case.judge(*self.arguments))
        magnitude = case.judge(*map(np.abs, self.arguments)) if case.products else None
        self._value = numbers.judged(value, magnitude)
        self.upstream = numbers.rounded(rng.uniform(0.5, 1.5, value.shape), storage)
        self._worst = [0.0, 0.0]
        self._gradients = self._judge_gradients() if self.differentiable else []

    @property
    def differentiable(self) -> bool:
        """Whether gradients are judged."""
        return self.case.gradients and not self.dtype.startswith("int")

    @property
    def watched(self) -> "List[int]":
        """The indices of the arguments whose gradients are judged."""
        return [i for i, each in enumerate(self.case.arguments) if each.differentiable]

    def _judge_gradients(self) -> "List[Any]":
        return [self._gradient(index) for index in self.watched]

    def _gradient(self, index: int) -> Any:
        case, arguments, upstream = self.case, self.arguments, self.upstream
        argument = case.arguments[index]
        if case.elementwise:
            terms = upstream * numbers.slope(case.judge, arguments, index)
            return numbers.judged(terms, None, numbers.PRECISION, floor=0.25)
        if not argument.batched:
            return numbers.RunningGradient(case.judge, arguments, index, upstream, argument.linear)
        if argument.linear:
            return numbers.linear_batch_gradient(case.judge, arguments, index, upstream)
        return numbers.batch_gradient(case.judge, arguments, index, upstream)

    def batch(self, size: int) -> "List[Any]":
        """Return the arguments of the first `size` examples."""
        pairs = zip(self.case.arguments, self.arguments)
        return [array[:size] if argument.batched else array for argument, array in pairs]

    def problems(self, size: int, result: Any, gradients: "Sequence[Any]") -> "Iterator[str]":
        """Yield what is wrong with a result, and with gradients, of the first `size` examples."""
        comparison = numbers.measure(result, self._value.of(size), self.dtype, self.case.allowed)
        self._worst[0] = max(self._worst[0], comparison.error)
        if not comparison.ok:
            yield self._problem(size, "", comparison)
        # A kernel of gradients may round what lies between, such as exp(x) + 1, once more.
        allowed = 2 * self.case.allowed + 8.0
        if self.case.windows and not size:
            return  # DepthwiseConv2dNativeBackpropFilter leaves its result unwritten
        for index, gradient, judge in zip(self.watched, gradients, self._gradients):
            if isinstance(judge, numbers.RunningGradient):
                part = judge.of(size)
            else:
                part = numbers.Judgement(
                    judge.value[:size], judge.magnitude[:size], judge.precision
                )
            depth = 0 if self.case.arguments[index].batched else self._depth(size)
            comparison = numbers.measure(gradient, part, self.dtype, allowed + depth)
            self._worst[1] = max(self._worst[1], comparison.error)
            if not comparison.ok:
                yield self._problem(size, " gradient {}".format(index), comparison)

    def _depth(self, size: int) -> float:
        """Return what adding up a batch may add to an error."""
        # TensorFlow's own BiasAddGrad adds up halves in halves: 1250 numbers near 4 make 512.
        return size if "float16" in self.dtype else numbers.depth_limit(size)

    def errors(self) -> "List[float]":
        """Return the worst errors so far, in epsilons: of results, of gradients."""
        return [float("{:.3g}".format(each)) for each in self._worst]

    def _problem(self, size: int, what: str, comparison: "numbers.Comparison") -> str:
        return "{}{}, batch {}: {} ({:.3g} eps)".format(
            self.case.name, what, size, comparison.why, comparison.error
        )
