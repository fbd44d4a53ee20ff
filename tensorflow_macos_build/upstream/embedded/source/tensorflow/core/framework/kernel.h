/* Kernels: what computes an op on one type of device. */
#ifndef TENSORFLOW_CORE_FRAMEWORK_KERNEL_H_
#define TENSORFLOW_CORE_FRAMEWORK_KERNEL_H_

#include "tensorflow/core/framework/status.h"
#include "tensorflow/core/framework/tensor.h"

typedef struct TF_Attrs {
  int transpose_a;
  int transpose_b;
  float scalar;
} TF_Attrs;

/* Checks the inputs and fills in the rank and the dimensions of `out`. */
typedef TF_Code (*TF_ShapeFn)(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out);

/* Fills in the data of `out`, whose shape and memory are ready. */
typedef void (*TF_ComputeFn)(const TF_Attrs *attrs, const TF_Tensor *inputs, TF_Tensor *out);

typedef struct TF_Kernel {
  const char *op;
  const char *device_type;
  const char *name;
  int num_inputs;
  TF_ShapeFn shape;
  TF_ComputeFn compute;
} TF_Kernel;

/* Adds a kernel; it must live as long as the process. */
TF_Code TF_RegisterKernel(const TF_Kernel *kernel);

/* The kernel of an op for a type of device, or null. */
const TF_Kernel *TF_FindKernel(const char *op, const char *device_type);

#endif /* TENSORFLOW_CORE_FRAMEWORK_KERNEL_H_ */
