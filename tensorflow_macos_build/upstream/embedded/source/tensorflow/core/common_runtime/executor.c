#include "tensorflow/core/common_runtime/executor.h"

#include "tensorflow/core/common_runtime/step_stats.h"
#include "tensorflow/core/kernels/register_kernels.h"

TF_Code TF_PrepareOp(const char *op, const char *requested, const TF_Attrs *attrs,
                     const TF_Tensor *inputs, int num_inputs, TF_Placement *placement,
                     TF_Tensor *out) {
  TF_RegisterAllKernels();
  TF_Code placed = TF_Place(op, requested, placement);
  if (placed != TF_OK) return placed;
  if (num_inputs != placement->kernel->num_inputs) return TF_INVALID_ARGUMENT;
  return placement->kernel->shape(attrs, inputs, out);
}

void TF_RunOp(const TF_Placement *placement, const TF_Attrs *attrs, const TF_Tensor *inputs,
              TF_Tensor *out) {
  placement->kernel->compute(attrs, inputs, out);
  TF_RecordStep(placement);
}
