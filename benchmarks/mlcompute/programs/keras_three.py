"""The program of apple/tensorflow_macos' README, with Keras 3.

Keras 3 has XLA compile a model by itself where it lists a GPU, except on arm64 Macs, and XLA has no
compiler for a plugin's device: so `jit_compile` is the one word that the program needs.
"""

import sys

import tensorflow as tf
from tensorflow.python.compiler.mlcompute import mlcompute

import data

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
    jit_compile=False,
)
history = model.fit(images, labels, batch_size=32, epochs=12, verbose=0).history
print("losses %s" % " ".join("%.4f" % loss for loss in history["loss"]))
