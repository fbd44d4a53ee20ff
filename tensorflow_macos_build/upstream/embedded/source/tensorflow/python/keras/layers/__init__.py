"""Layers."""

from tensorflow.python.keras.layers.dense import Dense

__all__ = ["Dense"]
