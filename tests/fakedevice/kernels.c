// The first form of the device: kernels through the C API, as a plugin of a vendor has them.
//
// They are those that dense and small convolutional networks spend their time in, forward and
// backward, for 32-bit floats and NHWC; for all other ops TensorFlow takes the CPU.

#include "run.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/kernels.h"

#define EXPORTED __attribute__((visibility("default")))

static void Failed(Run* run, const char* message) {
  TF_SetStatus(run->status, TF_INVALID_ARGUMENT, message);
}

static Tensor Described(TF_Tensor* tensor) {
  Tensor described = {tensor, TF_NumDims(tensor), {0}, TF_TensorElementCount(tensor), NULL};
  for (int i = 0; i < described.rank && i < kMaxRank; ++i) described.dims[i] = TF_Dim(tensor, i);
  described.data = TF_TensorData(tensor);
  return described;
}

Tensor* Output(Run* run, const int64_t* dims, int rank) {
  int64_t size = 1;
  for (int i = 0; i < rank; ++i) size *= dims[i];
  const int index = run->outputs++;
  const size_t bytes = (size_t)size * sizeof(float);
  TF_Tensor* made =
      TF_AllocateOutput(run->context, index, TF_FLOAT, dims, rank, bytes, run->status);
  Tensor* out = &run->out[index];
  *out = Described(made);
  if (size) memset(out->data, 0, bytes);
  return out;
}

static Tensor* Like(Run* run, const Tensor* tensor) {
  return Output(run, tensor->dims, tensor->rank);
}

// ---- Element by element, as NumPy broadcasts.

typedef float (*Binary)(float, float);

static int64_t DimFromEnd(const Tensor* tensor, int from_end) {
  return from_end < tensor->rank ? tensor->dims[tensor->rank - 1 - from_end] : 1;
}

static void Broadcast(Run* run, Binary function) {
  const Tensor *a = &run->in[0], *b = &run->in[1];
  const int rank = a->rank > b->rank ? a->rank : b->rank;
  int64_t dims[kMaxRank];
  for (int i = 0; i < rank; ++i) {
    const int64_t x = DimFromEnd(a, i), y = DimFromEnd(b, i);
    if (x != y && x != 1 && y != 1) return Failed(run, "the shapes are not compatible");
    dims[rank - 1 - i] = x == 1 ? y : x;
  }
  Tensor* out = Output(run, dims, rank);
  for (int64_t i = 0; i < out->size; ++i) {
    int64_t left = i, at_a = 0, at_b = 0, step_a = 1, step_b = 1;
    for (int d = 0; d < rank; ++d) {
      const int64_t at = left % DimFromEnd(out, d), x = DimFromEnd(a, d), y = DimFromEnd(b, d);
      left /= DimFromEnd(out, d);
      at_a += x == 1 ? 0 : at * step_a;
      at_b += y == 1 ? 0 : at * step_b;
      step_a *= x;
      step_b *= y;
    }
    out->data[i] = function(a->data[at_a], b->data[at_b]);
  }
}

static float Sum2(float x, float y) { return x + y; }
static float Difference(float x, float y) { return x - y; }
static float Product(float x, float y) { return x * y; }
static float Quotient(float x, float y) { return x / y; }
static float Squared(float x, float y) { return (x - y) * (x - y); }
static void AddV2(Run* run) { Broadcast(run, Sum2); }
static void Sub(Run* run) { Broadcast(run, Difference); }
static void Mul(Run* run) { Broadcast(run, Product); }
static void RealDiv(Run* run) { Broadcast(run, Quotient); }
static void SquaredDifference(Run* run) { Broadcast(run, Squared); }

static void Relu(Run* run) {
  Tensor* out = Like(run, &run->in[0]);
  // The comparison that keeps a NaN.
  for (int64_t i = 0; i < out->size; ++i)
    out->data[i] = run->in[0].data[i] < 0 ? 0 : run->in[0].data[i];
}

static void ReluGrad(Run* run) {
  Tensor* out = Like(run, &run->in[1]);
  for (int64_t i = 0; i < out->size; ++i)
    out->data[i] = run->in[1].data[i] > 0 ? run->in[0].data[i] : 0;
}

// What grappler makes of `x * 1` and `x + 0`, for whichever device it was placed on.
static void Snapshot(Run* run) {
  Tensor* out = Like(run, &run->in[0]);
  memcpy(out->data, run->in[0].data, (size_t)out->size * sizeof(float));
}

static void BiasAdd(Run* run) {
  Tensor* out = Like(run, &run->in[0]);
  for (int64_t i = 0; i < out->size; ++i)
    out->data[i] = run->in[0].data[i] + run->in[1].data[i % run->in[1].size];
}

static void BiasAddGrad(Run* run) {
  const Tensor* gradient = &run->in[0];
  Tensor* out = Output(run, &gradient->dims[gradient->rank - 1], 1);
  for (int64_t i = 0; i < gradient->size; ++i) out->data[i % out->size] += gradient->data[i];
}

// ---- Rows of logits.

static void SoftmaxRow(const float* logits, float* out, int64_t classes, double* log_sum) {
  double largest = -INFINITY, sum = 0;
  for (int64_t c = 0; c < classes; ++c) largest = fmax(largest, logits[c]);
  for (int64_t c = 0; c < classes; ++c) sum += exp(logits[c] - largest);
  *log_sum = largest + log(sum);
  for (int64_t c = 0; c < classes; ++c) out[c] = (float)exp(logits[c] - *log_sum);
}

static void Softmax(Run* run) {
  Tensor* out = Like(run, &run->in[0]);
  const int64_t classes = DimFromEnd(out, 0);
  double log_sum;
  for (int64_t at = 0; at < out->size; at += classes)
    SoftmaxRow(run->in[0].data + at, out->data + at, classes, &log_sum);
}

static void SparseSoftmaxCrossEntropyWithLogits(Run* run) {
  const Tensor* logits = &run->in[0];
  const void* labels = TF_TensorData(run->in[1].tensor);
  const int is_long = TF_TensorType(run->in[1].tensor) == TF_INT64;
  Tensor* loss = Output(run, logits->dims, 1);
  Tensor* gradient = Like(run, logits);
  const int64_t classes = logits->dims[1];
  for (int64_t row = 0; row < logits->dims[0]; ++row) {
    const int64_t label = is_long ? ((const int64_t*)labels)[row] : ((const int32_t*)labels)[row];
    if (label < 0 || label >= classes) return Failed(run, "a label is none of the classes");
    double log_sum;
    const int64_t at = row * classes;
    SoftmaxRow(logits->data + at, gradient->data + at, classes, &log_sum);
    loss->data[row] = (float)(log_sum - logits->data[at + label]);
    gradient->data[at + label] -= 1;
  }
}

// ---- Products of matrices and sums.

static void MatMul(Run* run) {
  const Tensor *a = &run->in[0], *b = &run->in[1];
  const int ta = run->kernel->transpose_a, tb = run->kernel->transpose_b;
  const int64_t inner = a->dims[!ta], dims[2] = {a->dims[ta], b->dims[!tb]};
  if (a->rank != 2 || b->rank != 2 || b->dims[tb] != inner)
    return Failed(run, "the shapes of the matrices do not fit");
  Tensor* out = Output(run, dims, 2);
  const int64_t rows = dims[0], columns = dims[1];
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = 0; k < inner; ++k) {
      const float left = a->data[ta ? k * rows + i : i * inner + k];
      for (int64_t j = 0; j < columns; ++j)
        out->data[i * columns + j] += left * b->data[tb ? j * inner + k : k * columns + j];
    }
}

static void Reduce(Run* run, int is_mean) {
  const Tensor* in = &run->in[0];
  const int32_t* axes = TF_TensorData(run->in[1].tensor);
  int is_reduced[kMaxRank] = {0}, rank = 0;
  for (int64_t i = 0; i < run->in[1].size; ++i) is_reduced[(axes[i] + in->rank) % in->rank] = 1;
  int64_t dims[kMaxRank], step[kMaxRank], steps = 1, merged = 1;
  for (int d = in->rank - 1; d >= 0; --d) {
    step[d] = is_reduced[d] ? 0 : steps;
    if (is_reduced[d]) merged *= in->dims[d];
    if (!is_reduced[d]) steps *= in->dims[d];
  }
  for (int d = 0; d < in->rank; ++d)
    if (!is_reduced[d] || run->kernel->keep_dims) dims[rank++] = is_reduced[d] ? 1 : in->dims[d];
  Tensor* out = Output(run, dims, rank);
  double* sums = calloc((size_t)out->size + 1, sizeof(double));
  for (int64_t i = 0; i < in->size; ++i) {
    int64_t left = i, at = 0;
    for (int d = in->rank - 1; d >= 0; left /= in->dims[d--]) at += left % in->dims[d] * step[d];
    sums[at] += in->data[i];
  }
  for (int64_t i = 0; i < out->size; ++i)
    out->data[i] = (float)(is_mean ? sums[i] / (double)merged : sums[i]);
  free(sums);
}

static void Sum(Run* run) { Reduce(run, 0); }
static void Mean(Run* run) { Reduce(run, 1); }

// ---- Between TensorFlow and the functions above.

static void ReportRun(Run* run) {
  // Gradients of convolutions take sizes first: what carries the batch is the last of their inputs.
  const Tensor* batch = run->in[0].rank >= 2 ? &run->in[0] : &run->in[run->inputs - 1];
  const Tensor* out = &run->out[0];
  FakeResult result = {TF_FLOAT, out->data, (size_t)out->size * sizeof(float), -1, 0};
  if (batch->rank > 0) result.batch = batch->dims[0];
  for (int i = 0; i < run->inputs; ++i)
    for (int d = 0; d < run->in[i].rank; ++d)
      if (run->in[i].dims[d] > result.longest) result.longest = run->in[i].dims[d];
  FakeRun(run->kernel->op, &result);
}

static void Compute(void* kernel, TF_OpKernelContext* context) {
  Run run = {.kernel = kernel, .context = context, .status = TF_NewStatus()};
  run.inputs = TF_NumInputs(context);
  for (int i = 0; i < run.inputs; ++i) {
    TF_Tensor* tensor = NULL;
    TF_GetInput(context, i, &tensor, run.status);
    run.in[i] = Described(tensor);
  }
  run.kernel->compute(&run);
  if (TF_GetCode(run.status) == TF_OK)
    ReportRun(&run);
  else
    TF_OpKernelContext_Failure(context, run.status);
  for (int i = 0; i < run.inputs; ++i) TF_DeleteTensor(run.in[i].tensor);
  for (int i = 0; i < run.outputs; ++i) TF_DeleteTensor(run.out[i].tensor);
  TF_DeleteStatus(run.status);
}

static void ReadWindow(TF_OpKernelConstruction* construction, Kernel* kernel, TF_Status* status) {
  char padding[16] = "", format[8] = "";
  TF_OpKernelConstruction_GetAttrString(construction, "padding", padding, 15, status);
  if (TF_GetCode(status) != TF_OK) return;  // it has none
  TF_OpKernelConstruction_GetAttrString(construction, "data_format", format, 7, status);
  kernel->is_same = strncmp(padding, "SAME", 4) == 0;
  TF_OpKernelConstruction_GetAttrInt32List(construction, "strides", kernel->strides, 4, status);
  TF_OpKernelConstruction_GetAttrInt32List(construction, "ksize", kernel->window, 4, status);
  for (int i = 0; i < 4; ++i) kernel->dilations[i] = 1;  // of pools, which have none
  TF_OpKernelConstruction_GetAttrInt32List(construction, "dilations", kernel->dilations, 4, status);
  TF_SetStatus(status, TF_OK, "");
  if (strncmp(format, "NHWC", 4) == 0 && strncmp(padding, "EXPLICIT", 8) != 0) return;
  TF_SetStatus(status, TF_UNIMPLEMENTED, "the test device knows NHWC, and no explicit padding");
  TF_OpKernelConstruction_Failure(construction, status);
}

// An attribute that the op does not have stays as `calloc` made it.
static Kernel* NewKernel(TF_OpKernelConstruction* construction) {
  Kernel* kernel = calloc(1, sizeof(Kernel));
  TF_Status* status = TF_NewStatus();
  TF_OpKernelConstruction_GetAttrBool(construction, "transpose_a", &kernel->transpose_a, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "transpose_b", &kernel->transpose_b, status);
  TF_OpKernelConstruction_GetAttrBool(construction, "keep_dims", &kernel->keep_dims, status);
  ReadWindow(construction, kernel, status);
  TF_DeleteStatus(status);
  return kernel;
}

static void Register(const char* name, FakeOp* op, void* (*create)(TF_OpKernelConstruction*),
                     const char* host) {
  if (FakeIsMissing(op)) return;
  TF_KernelBuilder* builder = TF_NewKernelBuilder(name, "GPU", create, Compute, free);
  TF_Status* status = TF_NewStatus();
  TF_KernelBuilder_TypeConstraint(builder, "T", TF_FLOAT, status);
  if (host) TF_KernelBuilder_HostMemory(builder, host);
  TF_RegisterKernelBuilder(name, builder, status);
  if (TF_GetCode(status) != TF_OK) fprintf(stderr, "%s: %s\n", name, TF_Message(status));
  TF_DeleteStatus(status);
}

// An op, and the argument that stays in the host's memory.
#define OPS(X)                                    \
  X(AddV2, NULL)                                  \
  X(BiasAdd, NULL)                                \
  X(BiasAddGrad, NULL)                            \
  X(Conv2D, NULL)                                 \
  X(Conv2DBackpropFilter, "filter_sizes")         \
  X(Conv2DBackpropInput, "input_sizes")           \
  X(MatMul, NULL)                                 \
  X(MaxPool, NULL)                                \
  X(MaxPoolGrad, NULL)                            \
  X(Mean, "reduction_indices")                    \
  X(Mul, NULL)                                    \
  X(RealDiv, NULL)                                \
  X(Relu, NULL)                                   \
  X(ReluGrad, NULL)                               \
  X(Snapshot, NULL)                               \
  X(Softmax, NULL)                                \
  X(SparseSoftmaxCrossEntropyWithLogits, NULL)    \
  X(SquaredDifference, NULL)                      \
  X(Sub, NULL)                                    \
  X(Sum, "reduction_indices")

#define DEFINE_CREATE(name, host)                                    \
  static FakeOp* op_##name;                                          \
  static void* Create##name(TF_OpKernelConstruction* construction) { \
    Kernel* kernel = NewKernel(construction);                        \
    kernel->op = op_##name;                                          \
    kernel->compute = name;                                          \
    return kernel;                                                   \
  }
OPS(DEFINE_CREATE)

#define REGISTER(name, host)     \
  op_##name = FakeOpNamed(#name); \
  Register(#name, op_##name, Create##name, host);

EXPORTED void TF_InitKernel(void) { OPS(REGISTER) }
