#include "tensorflow/core/framework/kernel.h"
#include "tensorflow/core/kernels/register_kernels.h"

static int IsScalar(const TF_Tensor *tensor) { return tensor->rank == 0; }

static int SameShape(const TF_Tensor *a, const TF_Tensor *b) {
  if (a->rank != b->rank) return 0;
  for (int axis = 0; axis < a->rank; ++axis) {
    if (a->dims[axis] != b->dims[axis]) return 0;
  }
  return 1;
}

/* Both of one shape, or one of them a scalar. */
static TF_Code BinaryShape(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  const TF_Tensor *a = &inputs[0], *b = &inputs[1];
  if (!SameShape(a, b) && !IsScalar(a) && !IsScalar(b)) return TF_INVALID_ARGUMENT;
  TF_CopyShape(IsScalar(a) ? b : a, out);
  return TF_OK;
}

static TF_Code UnaryShape(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  TF_CopyShape(&inputs[0], out);
  return TF_OK;
}

static float Element(const TF_Tensor *tensor, int64_t i) {
  return tensor->data[IsScalar(tensor) ? 0 : i];
}

#define BINARY(Name, expression)                                                           \
  static void Name(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {       \
    int64_t count = TF_NumElements(out);                                                   \
    for (int64_t i = 0; i < count; ++i) {                                                  \
      float a = Element(&inputs[0], i), b = Element(&inputs[1], i);                        \
      out->data[i] = (expression);                                                         \
    }                                                                                      \
  }

BINARY(Add, a + b)
BINARY(Sub, a - b)
BINARY(Mul, a * b)

static void Square(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  int64_t count = TF_NumElements(out);
  for (int64_t i = 0; i < count; ++i) out->data[i] = inputs[0].data[i] * inputs[0].data[i];
}

static const TF_Kernel add = {"AddV2", "CPU", "BinaryOp<CPU, add>", 2, BinaryShape, Add};
static const TF_Kernel sub = {"Sub", "CPU", "BinaryOp<CPU, sub>", 2, BinaryShape, Sub};
static const TF_Kernel mul = {"Mul", "CPU", "BinaryOp<CPU, mul>", 2, BinaryShape, Mul};
static const TF_Kernel square = {"Square", "CPU", "UnaryOp<CPU, square>", 1, UnaryShape, Square};

void TF_RegisterCwiseKernels(void) {
  TF_RegisterKernel(&add);
  TF_RegisterKernel(&sub);
  TF_RegisterKernel(&mul);
  TF_RegisterKernel(&square);
}
