/* _pywrap_util_port: what this TensorFlow was compiled with. */
#include "tensorflow/core/util/port.h"
#include "tensorflow/python/lib/core/py_limited.h"

static PyObject *CudaEnabled(PyObject *self, PyObject *args) {
  return PyBool_FromLong(IsGoogleCudaEnabled());
}

static PyObject *BuiltWithROCm(PyObject *self, PyObject *args) {
  return PyBool_FromLong(IsBuiltWithROCm());
}

static PyObject *BuiltWithXLA(PyObject *self, PyObject *args) {
  return PyBool_FromLong(IsBuiltWithXLA());
}

static PyMethodDef methods[] = {
    {"IsGoogleCudaEnabled", CudaEnabled, METH_NOARGS, "Whether CUDA support is compiled in."},
    {"IsBuiltWithROCm", BuiltWithROCm, METH_NOARGS, "Whether ROCm support is compiled in."},
    {"IsBuiltWithXLA", BuiltWithXLA, METH_NOARGS, "Whether XLA is compiled in."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_pywrap_util_port", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PYWRAP_EXPORT PyInit__pywrap_util_port(void) {
  return PyModule_Create2(&module, PYTHON_API_VERSION);
}
