"""Style transfer: an image is optimised until its features are those of two others."""

from typing import Any, List

from .bench_context import BenchContext, Step

_VGG_19 = ((1, 2), (2, 2), (4, 4), (8, 4), (8, 4))
"""The blocks of VGG-19 (Simonyan and Zisserman 2014): times the first width, convolutions."""

_STYLE_WEIGHT, _CONTENT_WEIGHT = 1e-2, 1e4


def style_transfer(context: BenchContext) -> Step:
    """Return a step of style transfer (Gatys et al. 2016), which changes an image's pixels."""
    tf = context.tf
    features = context.same_weights(_vgg(context))
    features.trainable = False
    image = tf.Variable(context.images())
    context.variables.append(image)
    style = [_gram(tf, layer) for layer in features(tf.constant(context.images()))[:-1]]
    content = features(tf.constant(context.images()))[-1]
    optimizer = context.adam(0.02, [image])

    def step() -> Any:
        with tf.GradientTape() as tape:
            layers = features(image)
            loss = _CONTENT_WEIGHT * tf.reduce_mean(tf.square(layers[-1] - content))
            for layer, wanted in zip(layers, style):
                loss += _STYLE_WEIGHT * tf.reduce_mean(tf.square(_gram(tf, layer) - wanted))
        optimizer.apply_gradients([(tape.gradient(loss, image), image)])
        image.assign(tf.clip_by_value(image, 0.0, 1.0))
        return loss

    traced: Step = tf.function(step)
    return traced


def _gram(tf: Any, layer: Any) -> Any:
    """Return how the channels of a layer go together, whatever the position."""
    positions = float(layer.shape[1] * layer.shape[2])
    return tf.einsum("bijc,bijd->bcd", layer, layer) / positions


def _vgg(context: BenchContext) -> Any:
    """Return the convolutions of VGG-19: the first of each block, and last what holds content."""
    keras, width = context.keras, context.size["filters"]
    inputs = keras.Input((context.size["image"], context.size["image"], 3))
    styles: "List[Any]" = []
    hidden = content = inputs
    for times, convolutions in _VGG_19:
        for position in range(convolutions):
            layer = keras.layers.Conv2D(times * width, 3, padding="same", activation="relu")
            hidden = layer(hidden)
            if position == 0:
                styles.append(hidden)
            content = hidden if position == 1 else content
        hidden = keras.layers.AveragePooling2D(2)(hidden)
    return keras.Model(inputs, [*styles, content])
