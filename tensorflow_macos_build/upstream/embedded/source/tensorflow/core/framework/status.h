/* What became of a call. The numbers are those of absl::StatusCode. */
#ifndef TENSORFLOW_CORE_FRAMEWORK_STATUS_H_
#define TENSORFLOW_CORE_FRAMEWORK_STATUS_H_

typedef enum TF_Code {
  TF_OK = 0,
  TF_INVALID_ARGUMENT = 3,
  TF_NOT_FOUND = 5,
  TF_RESOURCE_EXHAUSTED = 8
} TF_Code;

#endif /* TENSORFLOW_CORE_FRAMEWORK_STATUS_H_ */
