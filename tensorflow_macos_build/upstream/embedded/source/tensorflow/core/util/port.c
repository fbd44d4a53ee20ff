#include "tensorflow/core/util/port.h"

int IsGoogleCudaEnabled(void) { return 0; }

int IsBuiltWithROCm(void) { return 0; }

int IsBuiltWithXLA(void) { return 0; }
