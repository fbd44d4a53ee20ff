"""Keras in miniature: a chain of dense layers, trained by gradient descent."""

from tensorflow.python.keras import layers, optimizers
from tensorflow.python.keras.sequential import Sequential

__all__ = ["Sequential", "layers", "optimizers"]
