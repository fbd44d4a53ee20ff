#include "tensorflow/core/framework/kernel.h"
#include "tensorflow/core/kernels/register_kernels.h"

static TF_Code ApplyShape(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  if (TF_NumElements(&inputs[0]) != TF_NumElements(&inputs[1])) return TF_INVALID_ARGUMENT;
  TF_CopyShape(&inputs[0], out);
  return TF_OK;
}

/* var - alpha * delta, alpha being the attribute `scalar`. */
static void ApplyGradientDescent(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out) {
  int64_t count = TF_NumElements(out);
  for (int64_t i = 0; i < count; ++i) {
    out->data[i] = inputs[0].data[i] - attrs->scalar * inputs[1].data[i];
  }
}

static const TF_Kernel apply_gradient_descent = {
    "ApplyGradientDescent", "CPU", "ApplyGradientDescentOp<CPU>", 2, ApplyShape,
    ApplyGradientDescent};

void TF_RegisterTrainingKernels(void) { TF_RegisterKernel(&apply_gradient_descent); }
