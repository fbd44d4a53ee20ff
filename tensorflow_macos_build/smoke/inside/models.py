"""Small models, and how they are compiled and fitted in any release."""

from typing import Any, Dict, List

from . import judges
from .context import Context
from .lazy import np


def compiled(ctx: Context, model: Any, optimizer: Any, loss: Any, **options: Any) -> Any:
    """Return a compiled model, without XLA.

    Keras 3 asks for XLA by itself where a GPU is listed, and no plugin's device has it.
    """
    ctx.soft_placement(True)
    if ctx.keras_version >= 3:
        options["jit_compile"] = False
    # By name: the third positional argument is another in Keras 3.
    model.compile(optimizer=optimizer, loss=loss, **options)
    return model


def fitted(ctx: Context, model: Any, x: Any, y: Any, **options: Any) -> "List[float]":
    """Return the loss of each epoch."""
    options.setdefault("verbose", 0)
    options.setdefault("shuffle", False)
    return [float(loss) for loss in model.fit(x, y, **options).history["loss"]]


def set_seed(ctx: Context, seed: int) -> None:
    """Seed the module's and NumPy's generators."""
    ctx.tf.random.set_seed(seed)
    np.random.seed(seed)


def reseeded(model: Any, seed: int) -> None:
    """Set a model's weights to what depends on the seed alone."""
    rng = np.random.RandomState(seed)
    weights = [rng.normal(size=each.shape) for each in model.get_weights()]
    scales = [1 / np.sqrt(np.prod(each.shape[:-1])) if each.ndim > 1 else 0.1 for each in weights]
    model.set_weights([w * scale for w, scale in zip(weights, scales)])


def image_model(ctx: Context, classes: int = 4) -> Any:
    """Return a convolutional network for images of 8 x 8 x 2, uncompiled."""
    layers = ctx.keras.layers
    return ctx.keras.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def image_data(rng: Any, count: int, classes: int = 4) -> "Dict[str, Any]":
    """Return images whose class is the quadrant that is bright, and their classes."""
    y = rng.randint(0, classes, count)
    x = rng.normal(scale=0.3, size=(count, 8, 8, 2))
    for number, label in enumerate(y):
        row, column = divmod(int(label), 2)
        x[number, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 1.0
    return {"x": x.astype("float32"), "y": y.astype("int64")}


def image_forward(model: Any, x: Any) -> Any:
    """Return what `image_model` gives for images, computed in NumPy with its weights."""
    w = [each.astype("float64") for each in model.get_weights()]
    hidden = np.maximum(judges.convolution(x.astype("float64"), w[0], (1, 1), "SAME") + w[1], 0)
    hidden = judges.max_pool(hidden, (2, 2), (2, 2), "VALID")
    hidden = np.maximum(judges.convolution(hidden, w[2], (1, 1)) + w[3], 0)
    hidden = np.maximum(hidden.reshape(len(x), -1).dot(w[4]) + w[5], 0)
    return judges.softmax(hidden.dot(w[6]) + w[7])


def batch_norm_model(ctx: Context) -> Any:
    """Return a convolutional network with batch normalisation, uncompiled."""
    layers = ctx.keras.layers
    return ctx.keras.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(4, 3, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("tanh"),
            layers.Conv2D(4, 3, strides=2),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )


def accuracy(predicted: Any, labels: Any) -> float:
    """Return the share of examples whose largest output is that of their class."""
    return float((predicted.argmax(axis=1) == labels).mean())
