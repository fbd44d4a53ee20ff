"""Random numbers: enough of them that their mean and spread say something."""

from ..values import exact, variable, within

_SHAPE = exact([40, 30])
_STATE = variable(exact([1, 2, 3]), "int64")
_CANDIDATES = dict(
    true_classes=exact([[0, 1], [2, 3]]),
    num_true=2,
    num_sampled=4,
    unique=True,
    range_max=20,
    seed=1,
    seed2=2,
)

RECIPES = {
    "RandomUniform RandomStandardNormal TruncatedNormal": dict(shape=_SHAPE),
    "RandomUniformInt": dict(shape=_SHAPE, minval=exact(0), maxval=exact(100)),
    "ParameterizedTruncatedNormal": dict(
        shape=_SHAPE,
        means=exact([0.0]),
        stdevs=exact([1.0]),
        minvals=exact([-2.0]),
        maxvals=exact([2.0]),
    ),
    "RandomGamma": dict(shape=exact([1000]), alpha=within(1, 2)),
    "RandomPoisson RandomPoissonV2": dict(shape=exact([1000]), rate=exact(4.0)),
    "RandomShuffle": dict(value=(50,)),
    "Multinomial": dict(logits=within(-1, 1, 2, 4), num_samples=exact(500)),
    "NonDeterministicInts": dict(shape=_SHAPE),
    "StatelessMultinomial": dict(logits=within(-1, 1, 2, 4), num_samples=exact(50)),
    "StatelessRandomNormal StatelessRandomUniform StatelessRandomUniformFullInt": dict(
        shape=_SHAPE
    ),
    "StatelessTruncatedNormal StatelessRandomNormalV2 StatelessRandomUniformV2": dict(shape=_SHAPE),
    "StatelessTruncatedNormalV2 StatelessRandomUniformFullIntV2": dict(shape=_SHAPE),
    "StatelessRandomUniformInt StatelessRandomUniformIntV2": dict(
        shape=_SHAPE, minval=exact(0), maxval=exact(100)
    ),
    "StatelessRandomGammaV2": dict(shape=exact([100]), alpha=exact(1.5)),
    "StatelessRandomGammaV3": dict(shape=exact([100]), alpha=exact(1.5)),
    "StatelessRandomPoisson": dict(shape=exact([100]), lam=exact(4.0)),
    "StatelessRandomBinomial": dict(shape=exact([100]), counts=exact(10), probs=exact(0.4)),
    "StatelessParameterizedTruncatedNormal": dict(
        shape=exact([100]),
        means=exact(0.0),
        stddevs=exact(1.0),
        minvals=exact(-2.0),
        maxvals=exact(2.0),
    ),
    "StatelessShuffle": dict(value=(5, 3)),
    "StatefulRandomBinomial": dict(
        resource=_STATE, shape=exact([1000]), counts=exact(10), probs=exact(0.4)
    ),
    "StatefulStandardNormal StatefulStandardNormalV2 StatefulTruncatedNormal": dict(
        resource=_STATE, shape=_SHAPE
    ),
    "StatefulUniform StatefulUniformFullInt": dict(resource=_STATE, shape=_SHAPE),
    "StatefulUniformInt": dict(resource=_STATE, shape=_SHAPE, minval=exact(0), maxval=exact(100)),
    "RngReadAndSkip": dict(resource=_STATE, delta=exact(3)),
    "RngSkip": dict(resource=_STATE, delta=exact(3)),
    "AllCandidateSampler": dict(_CANDIDATES, num_sampled=20),
    "FixedUnigramCandidateSampler": dict(_CANDIDATES, unigrams=[1.0] * 20),
    "LearnedUnigramCandidateSampler LogUniformCandidateSampler": _CANDIDATES,
    "ThreadUnsafeUnigramCandidateSampler UniformCandidateSampler": _CANDIDATES,
    "RandomIndexShuffle": dict(index=exact(3), seed=exact([1, 2, 3]), max_index=exact(10)),
}
