"""The version of the compiled library."""

from tensorflow.python import _pywrap_tensorflow_internal

VERSION = _pywrap_tensorflow_internal.version()
