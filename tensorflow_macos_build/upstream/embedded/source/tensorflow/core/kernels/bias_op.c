#include "tensorflow/core/framework/kernel.h"
#include "tensorflow/core/kernels/register_kernels.h"

static TF_Code BiasAddShape(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  const TF_Tensor *value = &inputs[0], *bias = &inputs[1];
  if (value->rank != 2 || bias->rank != 1) return TF_INVALID_ARGUMENT;
  if (value->dims[1] != bias->dims[0]) return TF_INVALID_ARGUMENT;
  TF_CopyShape(value, out);
  return TF_OK;
}

static void BiasAdd(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  int64_t columns = inputs[1].dims[0];
  int64_t count = TF_NumElements(out);
  for (int64_t i = 0; i < count; ++i) {
    out->data[i] = inputs[0].data[i] + inputs[1].data[i % columns];
  }
}

static TF_Code BiasAddGradShape(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  if (inputs[0].rank != 2) return TF_INVALID_ARGUMENT;
  out->rank = 1;
  out->dims[0] = inputs[0].dims[1];
  return TF_OK;
}

static void BiasAddGrad(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  int64_t rows = inputs[0].dims[0], columns = inputs[0].dims[1];
  for (int64_t column = 0; column < columns; ++column) {
    float sum = inputs[0].data[column];
    for (int64_t row = 1; row < rows; ++row) sum += inputs[0].data[row * columns + column];
    out->data[column] = sum;
  }
}

static const TF_Kernel bias_add = {"BiasAdd", "CPU", "BiasOp<CPU>", 2, BiasAddShape, BiasAdd};
static const TF_Kernel bias_add_grad = {"BiasAddGrad",      "CPU",      "BiasGradOp<CPU>", 1,
                                        BiasAddGradShape, BiasAddGrad};

void TF_RegisterBiasKernels(void) {
  TF_RegisterKernel(&bias_add);
  TF_RegisterKernel(&bias_add_grad);
}
