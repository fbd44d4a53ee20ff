#include "tensorflow/core/framework/kernel.h"
#include "tensorflow/core/kernels/register_kernels.h"

static TF_Code ScalarShape(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  out->rank = 0;
  return TF_OK;
}

static double Total(const TF_Tensor *tensor) {
  int64_t count = TF_NumElements(tensor);
  double total = 0;
  for (int64_t i = 0; i < count; ++i) total += tensor->data[i];
  return total;
}

static void Sum(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  out->data[0] = (float)Total(&inputs[0]);
}

static void Mean(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  out->data[0] = (float)(Total(&inputs[0]) / (double)TF_NumElements(&inputs[0]));
}

static const TF_Kernel sum = {"Sum", "CPU", "ReductionOp<CPU, sum>", 1, ScalarShape, Sum};
static const TF_Kernel mean = {"Mean", "CPU", "ReductionOp<CPU, mean>", 1, ScalarShape, Mean};

void TF_RegisterReductionKernels(void) {
  TF_RegisterKernel(&sum);
  TF_RegisterKernel(&mean);
}
