#include "tensorflow/core/framework/kernel.h"
#include "tensorflow/core/kernels/register_kernels.h"

static int64_t Rows(const TF_Tensor *m, int transposed) { return m->dims[transposed ? 1 : 0]; }

static int64_t Columns(const TF_Tensor *m, int transposed) { return m->dims[transposed ? 0 : 1]; }

static float At(const TF_Tensor *m, int transposed, int64_t row, int64_t column) {
  return transposed ? m->data[column * m->dims[1] + row] : m->data[row * m->dims[1] + column];
}

static TF_Code MatMulShape(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  const TF_Tensor *a = &inputs[0], *b = &inputs[1];
  if (a->rank != 2 || b->rank != 2) return TF_INVALID_ARGUMENT;
  if (Columns(a, attrs->transpose_a) != Rows(b, attrs->transpose_b)) return TF_INVALID_ARGUMENT;
  out->rank = 2;
  out->dims[0] = Rows(a, attrs->transpose_a);
  out->dims[1] = Columns(b, attrs->transpose_b);
  return TF_OK;
}

static void MatMul(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  const TF_Tensor *a = &inputs[0], *b = &inputs[1];
  int64_t depth = Columns(a, attrs->transpose_a);

  for (int64_t row = 0; row < out->dims[0]; ++row) {
    for (int64_t column = 0; column < out->dims[1]; ++column) {
      float sum = 0;
      for (int64_t k = 0; k < depth; ++k) {
        sum += At(a, attrs->transpose_a, row, k) * At(b, attrs->transpose_b, k, column);
      }
      out->data[row * out->dims[1] + column] = sum;
    }
  }
}

static const TF_Kernel matmul = {"MatMul", "CPU", "MatMulOp<CPU>", 2, MatMulShape, MatMul};

void TF_RegisterMatMulKernels(void) { TF_RegisterKernel(&matmul); }
