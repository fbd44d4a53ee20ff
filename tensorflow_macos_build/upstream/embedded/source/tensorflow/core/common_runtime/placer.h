/* Which device an op runs on. */
#ifndef TENSORFLOW_CORE_COMMON_RUNTIME_PLACER_H_
#define TENSORFLOW_CORE_COMMON_RUNTIME_PLACER_H_

#include "tensorflow/core/common_runtime/device.h"
#include "tensorflow/core/framework/kernel.h"

typedef struct TF_Placement {
  const TF_Device *device;
  const TF_Kernel *kernel;
} TF_Placement;

/* Places `op` on the device that `requested` names ("" for any): the first that has a kernel. */
TF_Code TF_Place(const char *op, const char *requested, TF_Placement *placement);

#endif /* TENSORFLOW_CORE_COMMON_RUNTIME_PLACER_H_ */
