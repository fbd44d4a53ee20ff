#include "tensorflow/c/c_api.h"

#include "tensorflow/core/platform/arch_config.h"
#include "tensorflow/core/public/version.h"

_Static_assert(sizeof(long double) == TF_SIZEOF_LONG_DOUBLE, "arch_config.h is of another target");

const char *TF_Version(void) { return TF_VERSION_STRING; }

const char *TF_CodeMessage(TF_Code code) {
  switch (code) {
    case TF_OK:
      return "done";
    case TF_INVALID_ARGUMENT:
      return "the number or the shapes of the inputs do not fit the op";
    case TF_NOT_FOUND:
      return "no kernel for this op on the requested device";
    case TF_RESOURCE_EXHAUSTED:
      return "no room left";
  }
  return "unknown";
}
