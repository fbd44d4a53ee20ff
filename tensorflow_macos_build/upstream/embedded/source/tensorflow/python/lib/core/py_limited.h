/* The part of CPython's limited API that the extension modules use (PEP 384).
 *
 * Its functions and layouts are the same in every CPython 3, so the modules need no headers of the
 * interpreter, and a wheel for another processor needs no Python for that processor. */
#ifndef TENSORFLOW_PYTHON_LIB_CORE_PY_LIMITED_H_
#define TENSORFLOW_PYTHON_LIB_CORE_PY_LIMITED_H_

#include <stddef.h>

typedef ptrdiff_t Py_ssize_t;
typedef struct _object {
  Py_ssize_t ob_refcnt;
  struct _typeobject *ob_type;
} PyObject;

typedef PyObject *(*PyCFunction)(PyObject *self, PyObject *args);

typedef struct PyMethodDef {
  const char *ml_name;
  PyCFunction ml_meth;
  int ml_flags;
  const char *ml_doc;
} PyMethodDef;

typedef struct PyModuleDef_Base {
  PyObject ob_base;
  PyObject *(*m_init)(void);
  Py_ssize_t m_index;
  PyObject *m_copy;
} PyModuleDef_Base;

typedef struct PyModuleDef {
  PyModuleDef_Base m_base;
  const char *m_name;
  const char *m_doc;
  Py_ssize_t m_size;
  PyMethodDef *m_methods;
  void *m_slots;
  void *m_traverse;
  void *m_clear;
  void *m_free;
} PyModuleDef;

#define PyModuleDef_HEAD_INIT {{1, NULL}, NULL, 0, NULL}
#define PYTHON_API_VERSION 1013
#define METH_VARARGS 0x0001
#define METH_NOARGS 0x0004

extern PyObject *PyExc_MemoryError;
extern PyObject *PyExc_RuntimeError;
extern PyObject *PyExc_ValueError;

PyObject *PyModule_Create2(PyModuleDef *definition, int api_version);
int PyArg_ParseTuple(PyObject *args, const char *format, ...);
PyObject *Py_BuildValue(const char *format, ...);
void PyErr_SetString(PyObject *exception, const char *message);
PyObject *PyErr_Format(PyObject *exception, const char *format, ...);
PyObject *PyBool_FromLong(long value);
PyObject *PyUnicode_FromString(const char *text);
PyObject *PyLong_FromLongLong(long long value);
long long PyLong_AsLongLong(PyObject *number);
PyObject *PyErr_Occurred(void);
PyObject *PyBytes_FromStringAndSize(const char *bytes, Py_ssize_t size);
char *PyBytes_AsString(PyObject *bytes);
Py_ssize_t PyBytes_Size(PyObject *bytes);
PyObject *PyTuple_New(Py_ssize_t size);
Py_ssize_t PyTuple_Size(PyObject *tuple);
PyObject *PyTuple_GetItem(PyObject *tuple, Py_ssize_t position);
int PyTuple_SetItem(PyObject *tuple, Py_ssize_t position, PyObject *item);
void Py_DecRef(PyObject *object);

#define PYWRAP_EXPORT __attribute__((visibility("default"))) PyObject *

#endif /* TENSORFLOW_PYTHON_LIB_CORE_PY_LIMITED_H_ */
