"""What tests ask about this build."""

from tensorflow.python import _pywrap_util_port


def is_built_with_cuda():
    """Whether CUDA support is compiled in."""
    return _pywrap_util_port.IsGoogleCudaEnabled()


def is_built_with_rocm():
    """Whether ROCm support is compiled in."""
    return _pywrap_util_port.IsBuiltWithROCm()


def is_built_with_xla():
    """Whether XLA is compiled in."""
    return _pywrap_util_port.IsBuiltWithXLA()
