/* The C API: what other languages' bindings are made of. */
#ifndef TENSORFLOW_C_C_API_H_
#define TENSORFLOW_C_C_API_H_

#include "tensorflow/core/common_runtime/device.h"
#include "tensorflow/core/common_runtime/executor.h"
#include "tensorflow/core/common_runtime/step_stats.h"

/* The version as text, such as "2.16.0". */
const char *TF_Version(void);

/* What a code means, in words. */
const char *TF_CodeMessage(TF_Code code);

#endif /* TENSORFLOW_C_C_API_H_ */
