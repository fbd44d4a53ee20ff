// What the kernels of the first form have in common: one run of one of them.

#ifndef TESTS_FAKEDEVICE_RUN_H_
#define TESTS_FAKEDEVICE_RUN_H_

#include <stdint.h>

#include "faults.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

// tensorflow/c/kernels.h declares it too, but in C it defines a constant: one file can include it.
typedef struct TF_OpKernelContext TF_OpKernelContext;

enum { kMaxRank = 8, kMaxInputs = 3 };

typedef struct {
  TF_Tensor* tensor;
  int rank;
  int64_t dims[kMaxRank];
  int64_t size;
  float* data;  // of a tensor of whole numbers: read `tensor`
} Tensor;

// One run of a kernel: its attributes, its inputs, and what it puts out.
typedef struct Kernel Kernel;
typedef struct {
  const Kernel* kernel;
  TF_OpKernelContext* context;
  TF_Status* status;
  Tensor in[kMaxInputs];
  int inputs;
  Tensor out[2];
  int outputs;
} Run;

// The attributes of all the ops here; each reads those that it has.
struct Kernel {
  FakeOp* op;
  void (*compute)(Run* run);
  TF_Bool transpose_a, transpose_b, keep_dims;
  int is_same;
  int32_t strides[4], dilations[4], window[4];
};

// Allocates the next output and fills it with zeros; it is valid until the run ends.
Tensor* Output(Run* run, const int64_t* dims, int rank);

// The ops of windows.c.
void Conv2D(Run* run);
void Conv2DBackpropFilter(Run* run);
void Conv2DBackpropInput(Run* run);
void MaxPool(Run* run);
void MaxPoolGrad(Run* run);

#endif  // TESTS_FAKEDEVICE_RUN_H_
