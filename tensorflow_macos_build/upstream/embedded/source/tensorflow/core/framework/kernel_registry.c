#include <stddef.h>
#include <string.h>

#include "tensorflow/core/framework/kernel.h"

#define MAX_KERNELS 64

static const TF_Kernel *registry[MAX_KERNELS];
static int num_kernels = 0;

TF_Code TF_RegisterKernel(const TF_Kernel *kernel) {
  if (num_kernels == MAX_KERNELS) return TF_RESOURCE_EXHAUSTED;
  registry[num_kernels++] = kernel;
  return TF_OK;
}

const TF_Kernel *TF_FindKernel(const char *op, const char *device_type) {
  for (int i = 0; i < num_kernels; ++i) {
    const TF_Kernel *kernel = registry[i];
    if (strcmp(kernel->op, op) == 0 && strcmp(kernel->device_type, device_type) == 0) {
      return kernel;
    }
  }
  return NULL;
}
