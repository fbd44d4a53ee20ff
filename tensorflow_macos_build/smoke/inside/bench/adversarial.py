"""CycleGAN (Zhu et al. 2017): two generators and two discriminators in one step."""

from typing import Any, Callable, List

from .bench_context import BenchContext, Step

_CYCLE_WEIGHT, _IDENTITY_WEIGHT = 10.0, 5.0


def cyclegan(context: BenchContext) -> Step:
    """Return a step that trains both generators and both discriminators; its loss is their sum."""
    tf = context.tf
    normalization = instance_normalization(context)
    models = [_generator(context, normalization), _generator(context, normalization)]
    models += [_discriminator(context, normalization), _discriminator(context, normalization)]
    models = [context.same_weights(model) for model in models]
    optimizers = [context.adam(2e-4, model.trainable_variables) for model in models]

    def step(first: Any, second: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            losses = _losses(tf, models, first, second)
        for model, optimizer, loss in zip(models, optimizers, losses):
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return tf.add_n(losses)

    return context.alternating(
        [(context.images(), context.images()) for _ in range(2)], tf.function(step)
    )


def instance_normalization(context: BenchContext) -> Any:
    """Return a class of layers that normalises each channel of each image."""
    tf = context.tf
    layer: Any = context.keras.layers.Layer

    class InstanceNormalization(layer):  # type: ignore[misc]
        """Each channel of each image, less its mean, by its deviation."""

        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")
            self.offset = self.add_weight(name="offset", shape=(shape[-1],), initializer="zeros")

        def call(self, inputs: Any) -> Any:
            mean, variance = tf.nn.moments(inputs, axes=[1, 2], keepdims=True)
            scale, offset = tf.convert_to_tensor(self.scale), tf.convert_to_tensor(self.offset)
            return (inputs - mean) * tf.math.rsqrt(variance + 1e-5) * scale + offset

    return InstanceNormalization


def _losses(tf: Any, models: "List[Any]", first: Any, second: Any) -> "List[Any]":
    """Return the losses of the four models: least squares, cycles, identities."""
    to_second, to_first, of_first, of_second = [_training(model) for model in models]
    fake_second, fake_first = to_second(first), to_first(second)
    cycles = _distance(tf, to_first(fake_second), first) + _distance(
        tf, to_second(fake_first), second
    )
    judged_first, judged_second = of_first(fake_first), of_second(fake_second)
    return [
        _squares(tf, judged_second - 1.0)
        + _CYCLE_WEIGHT * cycles
        + _IDENTITY_WEIGHT * _distance(tf, to_second(second), second),
        _squares(tf, judged_first - 1.0)
        + _CYCLE_WEIGHT * cycles
        + _IDENTITY_WEIGHT * _distance(tf, to_first(first), first),
        0.5 * (_squares(tf, of_first(first) - 1.0) + _squares(tf, judged_first)),
        0.5 * (_squares(tf, of_second(second) - 1.0) + _squares(tf, judged_second)),
    ]


def _training(model: Any) -> "Callable[[Any], Any]":
    return lambda image: model(image, training=True)


def _squares(tf: Any, values: Any) -> Any:
    return tf.reduce_mean(tf.square(values))


def _distance(tf: Any, first: Any, second: Any) -> Any:
    return tf.reduce_mean(tf.abs(first - second))


def _generator(context: BenchContext, normalization: Any) -> Any:
    """Return the generator: down twice, residual blocks, up twice."""
    keras, width = context.keras, context.size["filters"]
    inputs = keras.Input((context.size["image"], context.size["image"], 3))
    first = keras.layers.Conv2D(width, 7, padding="same")
    hidden = _normalised(keras, normalization, first, inputs)
    for times in (2, 4):
        layer = keras.layers.Conv2D(times * width, 3, strides=2, padding="same")
        hidden = _normalised(keras, normalization, layer, hidden)
    for _ in range(context.size["blocks"]):
        layer = keras.layers.Conv2D(4 * width, 3, padding="same")
        inner = _normalised(keras, normalization, layer, hidden)
        inner = keras.layers.Conv2D(4 * width, 3, padding="same")(inner)
        hidden = hidden + normalization()(inner)
    for times in (2, 1):
        layer = keras.layers.Conv2DTranspose(times * width, 3, strides=2, padding="same")
        hidden = _normalised(keras, normalization, layer, hidden)
    outputs = keras.layers.Conv2D(3, 7, padding="same", activation="tanh")(hidden)
    return keras.Model(inputs, outputs)


def _discriminator(context: BenchContext, normalization: Any) -> Any:
    """Return the discriminator of 70 by 70 pixels; the first convolution is not normalised."""
    keras, width = context.keras, context.size["filters"]
    inputs = keras.Input((context.size["image"], context.size["image"], 3))
    hidden = keras.layers.Conv2D(width, 4, strides=2, padding="same")(inputs)
    hidden = keras.layers.LeakyReLU(0.2)(hidden)
    for times, strides in ((2, 2), (4, 2), (8, 1)):
        layer = keras.layers.Conv2D(times * width, 4, strides=strides, padding="same")
        hidden = keras.layers.LeakyReLU(0.2)(normalization()(layer(hidden)))
    return keras.Model(inputs, keras.layers.Conv2D(1, 4, padding="same")(hidden))


def _normalised(keras: Any, normalization: Any, convolution: Any, inputs: Any) -> Any:
    return keras.layers.ReLU()(normalization()(convolution(inputs)))
