/* A dense tensor of 32-bit floats in row-major order, over memory that its caller owns. */
#ifndef TENSORFLOW_CORE_FRAMEWORK_TENSOR_H_
#define TENSORFLOW_CORE_FRAMEWORK_TENSOR_H_

#include <stdint.h>

#define TF_MAX_RANK 4

typedef struct TF_Tensor {
  int rank;
  int64_t dims[TF_MAX_RANK];
  float *data;
} TF_Tensor;

/* How many elements a tensor has; 1 for a scalar. */
static inline int64_t TF_NumElements(const TF_Tensor *tensor) {
  int64_t count = 1;
  for (int axis = 0; axis < tensor->rank; ++axis) count *= tensor->dims[axis];
  return count;
}

/* Gives `out` the shape of `like`. */
static inline void TF_CopyShape(const TF_Tensor *like, TF_Tensor *out) {
  out->rank = like->rank;
  for (int axis = 0; axis < like->rank; ++axis) out->dims[axis] = like->dims[axis];
}

#endif /* TENSORFLOW_CORE_FRAMEWORK_TENSOR_H_ */
