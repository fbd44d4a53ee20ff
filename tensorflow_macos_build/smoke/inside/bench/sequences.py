"""Models of sequences, and a small dense one."""

from typing import Any

from .bench_context import BenchContext, Step
from .training import classifier_step


def lstm(context: BenchContext) -> Step:
    """Return a step of two LSTM layers over embedded words."""
    keras, size = context.keras, context.size
    model = keras.Sequential(
        [
            keras.layers.Embedding(size["words"], size["units"]),
            keras.layers.LSTM(size["units"], return_sequences=True),
            keras.layers.LSTM(size["units"]),
            keras.layers.Dense(2),
        ]
    )
    model.build((None, size["length"]))
    return _of_words(context, context.same_weights(model))


def bert_encoder(context: BenchContext) -> Step:
    """Return a step of an encoder as BERT's (Devlin et al. 2019), without dropout."""
    keras, size = context.keras, context.size
    words = keras.Input((size["length"],), dtype="int32")
    hidden = keras.layers.Embedding(size["words"], size["units"])(words)
    hidden = keras.layers.LayerNormalization()(positions(keras)()(hidden))
    for _ in range(size["layers"]):
        hidden = _encoder_layer(keras, hidden, size["units"], size["heads"])
    first = keras.layers.Dense(size["units"], activation="tanh")(hidden[:, 0])
    model = keras.Model(words, keras.layers.Dense(2)(first))
    return _of_words(context, context.same_weights(model))


def dense_small(context: BenchContext) -> Step:
    """Return a step of a dense network that has too little work for a GPU."""
    keras, size = context.keras, context.size
    model = keras.Sequential(
        [keras.layers.Dense(size["units"], activation="relu"), keras.layers.Dense(10)]
    )
    model.build((None, size["inputs"]))
    shape = [size["batch"], size["inputs"]]
    batches = [(context.uniform(shape), context.integers(10, [size["batch"]])) for _ in range(2)]
    step = classifier_step(context, context.same_weights(model), 1e-3)
    return context.alternating(batches, step)


def positions(keras: Any) -> Any:
    """Return a class of layers that add to each position what is learnt of it."""
    layer: Any = keras.layers.Layer

    class Positions(layer):  # type: ignore[misc]
        """The position embeddings of an encoder."""

        def build(self, shape: Any) -> None:
            self.embeddings = self.add_weight(
                name="embeddings", shape=tuple(shape[1:]), initializer="zeros"
            )

        def call(self, inputs: Any) -> Any:
            return inputs + self.embeddings

    return Positions


def _encoder_layer(keras: Any, hidden: Any, units: int, heads: int) -> Any:
    attention = keras.layers.MultiHeadAttention(heads, units // heads)(hidden, hidden)
    hidden = keras.layers.LayerNormalization()(hidden + attention)
    inner = keras.layers.Dense(4 * units, activation="gelu")(hidden)
    return keras.layers.LayerNormalization()(hidden + keras.layers.Dense(units)(inner))


def _of_words(context: BenchContext, model: Any) -> Step:
    size = context.size
    shape = [size["batch"], size["length"]]
    batches = [
        (context.integers(size["words"], shape), context.integers(2, [size["batch"]]))
        for _ in range(2)
    ]
    return context.alternating(batches, classifier_step(context, model, 1e-4))
