#include "tensorflow/core/common_runtime/placer.h"

#include <stddef.h>
#include <string.h>

/* "CPU:0" and "/device:CPU:0" name a device as well as its full name does. */
static int NameMatches(const TF_Device *device, const char *requested) {
  size_t full = strlen(device->name);
  size_t length = strlen(requested);
  return length <= full && strcmp(device->name + full - length, requested) == 0;
}

TF_Code TF_Place(const char *op, const char *requested, TF_Placement *placement) {
  int count = TF_NumDevices();

  for (int number = 0; number < count; ++number) {
    const TF_Device *device = TF_GetDevice(number);
    if (!NameMatches(device, requested)) continue;
    const TF_Kernel *kernel = TF_FindKernel(op, device->type);
    if (kernel == NULL) continue;
    placement->device = device;
    placement->kernel = kernel;
    return TF_OK;
  }
  return TF_NOT_FOUND;
}
