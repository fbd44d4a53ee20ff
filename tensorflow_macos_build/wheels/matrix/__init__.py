"""Which releases of plugins load in which releases of TensorFlow, by the wheels of an index."""

from tensorflow_macos_build.wheels.matrix.engine import MatrixRequest, make
from tensorflow_macos_build.wheels.matrix.table import Cell, Matrix, MatrixWheel

__all__ = ["Cell", "Matrix", "MatrixRequest", "MatrixWheel", "make"]
