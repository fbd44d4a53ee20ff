"""The program of apple/tensorflow_macos' README: Keras with eager execution turned off."""

import sys

import tensorflow as tf
from tensorflow.python.compiler.mlcompute import mlcompute
from tensorflow.python.framework.ops import disable_eager_execution

import data

disable_eager_execution()
mlcompute.set_mlc_device(device_name=sys.argv[1])
print("is_apple_mlc_enabled %s" % mlcompute.is_apple_mlc_enabled())
print("is_tf_compiled_with_apple_mlc %s" % mlcompute.is_tf_compiled_with_apple_mlc())
print("eagerly? %s" % tf.executing_eagerly())

images, labels = data.load()
model = tf.keras.models.Sequential([
    tf.keras.layers.Conv2D(8, kernel_size=(3, 3), activation="relu", input_shape=(12, 12, 1)),
    tf.keras.layers.Conv2D(8, kernel_size=(3, 3), activation="relu"),
    tf.keras.layers.MaxPooling2D(pool_size=(2, 2)),
    tf.keras.layers.Flatten(),
    tf.keras.layers.Dense(16, activation="relu"),
    tf.keras.layers.Dense(data.CLASSES, activation="softmax"),
])
model.compile(
    loss="sparse_categorical_crossentropy",
    optimizer="adam",
    metrics=["accuracy"],
)
history = model.fit(images, labels, batch_size=32, epochs=12, verbose=0).history
print("losses %s" % " ".join("%.4f" % loss for loss in history["loss"]))
