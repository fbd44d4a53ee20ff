"""Optimizers."""

from tensorflow.python.keras.optimizers.sgd import SGD

__all__ = ["SGD"]
