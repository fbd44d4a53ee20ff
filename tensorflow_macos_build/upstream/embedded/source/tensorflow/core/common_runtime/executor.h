/* Running one op: place it, ask for its shape, give it memory, compute. */
#ifndef TENSORFLOW_CORE_COMMON_RUNTIME_EXECUTOR_H_
#define TENSORFLOW_CORE_COMMON_RUNTIME_EXECUTOR_H_

#include "tensorflow/core/common_runtime/placer.h"

/* Places an op and fills in the rank and the dimensions of its output. */
TF_Code TF_PrepareOp(const char *op, const char *requested, const TF_Attrs *attrs,
                     const TF_Tensor *inputs, int num_inputs, TF_Placement *placement,
                     TF_Tensor *out);

/* Computes a prepared op into `out`, whose memory the caller has made. */
void TF_RunOp(const TF_Placement *placement, const TF_Attrs *attrs, const TF_Tensor *inputs,
              TF_Tensor *out);

#endif /* TENSORFLOW_CORE_COMMON_RUNTIME_EXECUTOR_H_ */
