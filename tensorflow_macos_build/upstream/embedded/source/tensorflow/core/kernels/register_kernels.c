#include "tensorflow/core/kernels/register_kernels.h"

void TF_RegisterAllKernels(void) {
  static int done = 0;
  if (done) return;
  done = 1;

  /* Linear algebra. */
  TF_RegisterMatMulKernels();
  TF_RegisterBiasKernels();

  /* Element by element. */
  TF_RegisterCwiseKernels();
  TF_RegisterReductionKernels();

  /* Training. */
  TF_RegisterTrainingKernels();
}
