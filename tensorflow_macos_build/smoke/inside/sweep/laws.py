"""What holds between an op's results on two devices, where that is not equality."""

import re
from typing import Optional

SAMPLE = re.compile(
    r"Random(Uniform|UniformInt|StandardNormal|Gamma|Poisson|PoissonV2)"
    r"|TruncatedNormal|ParameterizedTruncatedNormal|Multinomial|NonDeterministicInts"
    r"|Stateful(UniformInt|UniformFullInt|Uniform|StandardNormal|StandardNormalV2|TruncatedNormal"
    r"|RandomBinomial)"
    r"|RandomShuffle|RandomCrop|SampleDistortedBoundingBox(V2)?"
    r"|(All|FixedUnigram|LearnedUnigram|LogUniform|ThreadUnsafeUnigram|Uniform)CandidateSampler"
    r"|(KmeansPlusPlus|KMC2Chain)Initialization|Fractional(Max|Avg)Pool"
)
"""Each call draws anew: samples of one distribution."""

SHAPE = re.compile(r"_?Empty|Timestamp|TensorArrayGrad(V3|WithShape)|Add(Many)?SparseToTensorsMap")
"""The values are nobody's promise: only shapes and dtypes are."""

PUBLIC = ((re.compile(r"_?FusedBatchNorm.*"), 3),)
"""How many outputs an op promises; what follows is the device's own, for its gradient's kernel."""

LIMITS = (
    # Sums of many products, in any order, and what a device may round in between.
    (re.compile(r".*(Conv|MatMul|Einsum|LSTM|GRU|BatchNorm|FFT|Pool|Softmax|Resize|LRN).*"), 256.0),
    # Factors whose errors grow with the condition of the matrix.
    (
        re.compile(r".*(Cholesky|Solve|Svd|Qr|Lu|Eig|Inverse|Determinant|Logarithm|SquareRoot).*"),
        4096.0,
    ),
    (
        re.compile(r"(CTC|.*Apply|Betainc|Igamma|.*Polygamma|Zeta|Lgamma|Digamma|.*Bessel).*"),
        1024.0,
    ),
)
USUAL_LIMIT = 64.0
"""Units of epsilon: 7.6e-6 of the largest number in float32, which a silent half precision (4,000
units) is far beyond."""


def law_of(op: str) -> str:
    """Return what must hold between two calls: `value`, `sample` or `shape`."""
    if SAMPLE.fullmatch(op):
        return "sample"
    return "shape" if SHAPE.fullmatch(op) else "value"


def limit_of(op: str) -> float:
    """Return how many units of epsilon a float of this op may be off."""
    return next((limit for names, limit in LIMITS if names.match(op)), USUAL_LIMIT)


def promised(op: str) -> Optional[int]:
    """Return how many of an op's outputs are compared; None: all."""
    return next((count for names, count in PUBLIC if names.match(op)), None)
