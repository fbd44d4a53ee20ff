/* _pywrap_tensorflow_internal: the eager runtime as Python sees it. */
#include <stddef.h>

#include "tensorflow/c/c_api.h"
#include "tensorflow/python/lib/core/py_limited.h"

#define MAX_INPUTS 4

static PyObject *Fail(const char *op, TF_Code code) {
  return PyErr_Format(PyExc_ValueError, "%s: %s", op, TF_CodeMessage(code));
}

/* Reads a shape, a tuple of integers. */
static int ReadShape(PyObject *shape, TF_Tensor *tensor) {
  Py_ssize_t rank = PyTuple_Size(shape);
  if (rank < 0) return 0;
  if (rank > TF_MAX_RANK) {
    PyErr_SetString(PyExc_ValueError, "a tensor has at most four dimensions");
    return 0;
  }
  tensor->rank = (int)rank;
  for (Py_ssize_t axis = 0; axis < rank; ++axis) {
    tensor->dims[axis] = PyLong_AsLongLong(PyTuple_GetItem(shape, axis));
  }
  return PyErr_Occurred() == NULL;
}

/* Reads a tensor, a tuple of its bytes and its shape; its memory stays with the bytes. */
static int ReadTensor(PyObject *pair, TF_Tensor *tensor) {
  PyObject *data = NULL, *shape = NULL;
  if (!PyArg_ParseTuple(pair, "OO", &data, &shape)) return 0;
  if (!ReadShape(shape, tensor)) return 0;
  tensor->data = (float *)PyBytes_AsString(data);
  if (tensor->data == NULL) return 0;
  if (PyBytes_Size(data) == TF_NumElements(tensor) * (Py_ssize_t)sizeof(float)) return 1;
  PyErr_SetString(PyExc_ValueError, "the shape does not fit the data");
  return 0;
}

static PyObject *WriteShape(const TF_Tensor *tensor) {
  PyObject *shape = PyTuple_New(tensor->rank);
  if (shape == NULL) return NULL;
  for (int axis = 0; axis < tensor->rank; ++axis) {
    PyTuple_SetItem(shape, axis, PyLong_FromLongLong(tensor->dims[axis]));
  }
  return shape;
}

static int ReadInputs(PyObject *tuple, TF_Tensor *inputs) {
  Py_ssize_t count = PyTuple_Size(tuple);
  if (count < 0) return -1;
  if (count > MAX_INPUTS) {
    PyErr_SetString(PyExc_ValueError, "too many inputs");
    return -1;
  }
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!ReadTensor(PyTuple_GetItem(tuple, i), &inputs[i])) return -1;
  }
  return (int)count;
}

/* execute(op, device, inputs, transpose_a, transpose_b, scalar) -> (bytes, shape, device) */
static PyObject *Execute(PyObject *self, PyObject *args) {
  const char *op, *device;
  PyObject *tuple;
  TF_Attrs attrs;
  if (!PyArg_ParseTuple(args, "ssOiif", &op, &device, &tuple, &attrs.transpose_a,
                        &attrs.transpose_b, &attrs.scalar)) {
    return NULL;
  }
  TF_Tensor inputs[MAX_INPUTS], out;
  int count = ReadInputs(tuple, inputs);
  if (count < 0) return NULL;

  TF_Placement placement;
  TF_Code code = TF_PrepareOp(op, device, &attrs, inputs, count, &placement, &out);
  if (code != TF_OK) return Fail(op, code);
  PyObject *data =
      PyBytes_FromStringAndSize(NULL, TF_NumElements(&out) * (Py_ssize_t)sizeof(float));
  if (data == NULL) return NULL;
  out.data = (float *)PyBytes_AsString(data);
  TF_RunOp(&placement, &attrs, inputs, &out);
  return Py_BuildValue("NNs", data, WriteShape(&out), placement.device->name);
}

/* devices() -> ((type, name), ...) */
static PyObject *Devices(PyObject *self, PyObject *args) {
  int count = TF_NumDevices();
  PyObject *found = PyTuple_New(count);
  for (int i = 0; found != NULL && i < count; ++i) {
    const TF_Device *device = TF_GetDevice(i);
    PyTuple_SetItem(found, i, Py_BuildValue("ss", device->type, device->name));
  }
  return found;
}

/* step_stats() -> ((device, op, kernel), ...); forgets what it returns. */
static PyObject *StepStats(PyObject *self, PyObject *args) {
  int count = TF_NumSteps();
  PyObject *found = PyTuple_New(count);
  for (int i = 0; found != NULL && i < count; ++i) {
    const TF_Placement *step = TF_GetStep(i);
    PyTuple_SetItem(found, i, Py_BuildValue("sss", step->device->name, step->kernel->op,
                                            step->kernel->name));
  }
  TF_ClearSteps();
  return found;
}

static PyObject *Version(PyObject *self, PyObject *args) {
  return PyUnicode_FromString(TF_Version());
}

static PyMethodDef methods[] = {
    {"devices", Devices, METH_NOARGS, "The devices, as (type, name)."},
    {"execute", Execute, METH_VARARGS, "Run one op; gives (bytes, shape, device)."},
    {"step_stats", StepStats, METH_NOARGS, "What ran since the last call."},
    {"version", Version, METH_NOARGS, "The version of the library."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_pywrap_tensorflow_internal", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PYWRAP_EXPORT PyInit__pywrap_tensorflow_internal(void) {
  return PyModule_Create2(&module, PYTHON_API_VERSION);
}
