"""Classifiers of images, as `keras.applications` has them, from weights of our own."""

from typing import Any

from .bench_context import BenchContext, Step
from .training import classifier_step

CLASSES = 10


def resnet_finetune(context: BenchContext) -> Step:
    """Return a step that trains the last stage of ResNet50V2 and a new head; the rest is frozen."""
    keras = context.keras
    base = _without_top(context, keras.applications.ResNet50V2)
    for layer in base.layers:
        layer.trainable = layer.name.startswith(("conv5", "post"))
    return _in_memory(context, _with_head(context, base))


def mobilenet(context: BenchContext) -> Step:
    """Return a step of MobileNetV3 (small), with batches in memory."""
    return _in_memory(context, _mobilenet(context))


def mobilenet_from_dataset(context: BenchContext) -> Step:
    """Return a step of MobileNetV3 (small) that waits for its batch from tf.data."""
    tf, size = context.tf, context.size
    step = classifier_step(context, _mobilenet(context), 1e-4)
    count = 4 * size["batch"]
    shape = [count, size["image"], size["image"], 3]
    pixels = (context.uniform(shape) * 255).astype("uint8")

    def augmented(image: Any, label: Any) -> Any:
        return tf.image.flip_left_right(tf.cast(image, tf.float32) / 255.0), label

    # What feeds a device runs on the host, whatever the device.
    with tf.device("/device:CPU:0"):
        data = tf.data.Dataset.from_tensor_slices((pixels, context.integers(CLASSES, [count])))
        data = data.shuffle(count, seed=0).repeat().map(augmented, num_parallel_calls=2)
        batches = iter(data.batch(size["batch"], drop_remainder=True).prefetch(2))
    return lambda: step(*next(batches))


def densenet(context: BenchContext) -> Step:
    """Return a step of DenseNet121."""
    base = _without_top(context, context.keras.applications.DenseNet121)
    return _in_memory(context, _with_head(context, base))


def _without_top(context: BenchContext, application: Any) -> Any:
    side = context.size["image"]
    return application(include_top=False, weights=None, input_shape=(side, side, 3), pooling="avg")


def _with_head(context: BenchContext, base: Any) -> Any:
    """Return a model of logits; DenseNet121's own top has no such option in Keras 2.4."""
    side = context.size["image"]
    model = context.keras.Sequential([base, context.keras.layers.Dense(CLASSES)])
    model.build((None, side, side, 3))
    return context.same_weights(model)


def _mobilenet(context: BenchContext) -> Any:
    side = context.size["image"]
    model = context.keras.applications.MobileNetV3Small(
        weights=None,
        input_shape=(side, side, 3),
        classes=CLASSES,
        classifier_activation=None,
        dropout_rate=0.0,  # random numbers differ between devices
    )
    return context.same_weights(model)


def _in_memory(context: BenchContext, model: Any) -> Step:
    batches = [
        (context.images(), context.integers(CLASSES, [context.size["batch"]])) for _ in range(2)
    ]
    return context.alternating(batches, classifier_step(context, model, 1e-4))
