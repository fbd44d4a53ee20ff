// Convolutions and pools: windows over pictures, NHWC (tf.nn.convolution, "SAME" and "VALID").

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

typedef struct {
  int64_t outputs, stride, before;
} Span;

static Span SpanOf(const Kernel* kernel, int dim, int64_t inputs, int64_t pixels) {
  const int64_t stride = kernel->strides[dim], is_same = kernel->is_same;
  const int64_t window = (pixels - 1) * kernel->dilations[dim] + 1;
  const int64_t outputs = is_same ? (inputs + stride - 1) / stride
                                  : (inputs - window + stride) / stride;
  const int64_t padding = (outputs - 1) * stride + window - inputs;
  return (Span){outputs, stride, is_same && padding > 0 ? padding / 2 : 0};
}

// An output pixel, an input pixel and a pixel of the window that meet, each without channels.
typedef void (*Visit)(Run* run, int64_t output, int64_t input, int64_t window);

static void EachPixel(Run* run, const int64_t* in, int64_t rows, int64_t columns, Visit visit) {
  const Kernel* kernel = run->kernel;
  const Span y = SpanOf(kernel, 1, in[1], rows);
  const Span x = SpanOf(kernel, 2, in[2], columns);
  for (int64_t o = 0; o < in[0] * y.outputs * x.outputs; ++o)
    for (int64_t w = 0; w < rows * columns; ++w) {
      const int64_t n = o / (y.outputs * x.outputs);
      const int64_t wy = w / columns * kernel->dilations[1], wx = w % columns * kernel->dilations[2];
      const int64_t iy = o / x.outputs % y.outputs * y.stride + wy - y.before;
      const int64_t ix = o % x.outputs * x.stride + wx - x.before;
      if (iy >= 0 && iy < in[1] && ix >= 0 && ix < in[2])
        visit(run, o, (n * in[1] + iy) * in[2] + ix, w);
    }
}

static Tensor* Windowed(Run* run, const int64_t* in, int64_t rows, int64_t columns, int64_t depth) {
  const Kernel* kernel = run->kernel;
  const Span y = SpanOf(kernel, 1, in[1], rows);
  const Span x = SpanOf(kernel, 2, in[2], columns);
  return Output(run, (int64_t[]){in[0], y.outputs, x.outputs, depth}, 4);
}

// Whole numbers that an op takes in the host's memory: the size of what it makes.
static Tensor* Sized(Run* run, const Tensor* sizes) {
  const int32_t* values = TF_TensorData(sizes->tensor);
  int64_t dims[kMaxRank];
  for (int64_t i = 0; i < sizes->size && i < kMaxRank; ++i) dims[i] = values[i];
  return Output(run, dims, (int)sizes->size);
}

static void VisitForward(Run* run, int64_t o, int64_t i, int64_t w) {
  const int64_t channels = run->in[1].dims[2], filters = run->in[1].dims[3];
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t f = 0; f < filters; ++f)
      run->out[0].data[o * filters + f] += run->in[0].data[i * channels + c] *
                                           run->in[1].data[(w * channels + c) * filters + f];
}
static void VisitInput(Run* run, int64_t o, int64_t i, int64_t w) {
  const int64_t channels = run->in[1].dims[2], filters = run->in[1].dims[3];
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t f = 0; f < filters; ++f)
      run->out[0].data[i * channels + c] += run->in[2].data[o * filters + f] *
                                            run->in[1].data[(w * channels + c) * filters + f];
}
static void VisitFilter(Run* run, int64_t o, int64_t i, int64_t w) {
  const int64_t channels = run->out[0].dims[2], filters = run->out[0].dims[3];
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t f = 0; f < filters; ++f)
      run->out[0].data[(w * channels + c) * filters + f] +=
          run->in[0].data[i * channels + c] * run->in[2].data[o * filters + f];
}

void Conv2D(Run* run) {
  const int64_t *in = run->in[0].dims, *filter = run->in[1].dims;
  Windowed(run, in, filter[0], filter[1], filter[3]);
  EachPixel(run, in, filter[0], filter[1], VisitForward);
}
void Conv2DBackpropInput(Run* run) {
  const Tensor* out = Sized(run, &run->in[0]);
  EachPixel(run, out->dims, run->in[1].dims[0], run->in[1].dims[1], VisitInput);
}
void Conv2DBackpropFilter(Run* run) {
  const Tensor* out = Sized(run, &run->in[1]);
  EachPixel(run, run->in[0].dims, out->dims[0], out->dims[1], VisitFilter);
}

static void VisitLargest(Run* run, int64_t o, int64_t i, int64_t w) {
  const int64_t channels = run->in[0].dims[3];
  for (int64_t c = 0; c < channels; ++c) {
    float* best = &run->out[0].data[o * channels + c];
    *best = fmaxf(*best, run->in[0].data[i * channels + c]);
  }
}
void MaxPool(Run* run) {
  const int32_t* window = run->kernel->window;
  const int64_t* in = run->in[0].dims;
  Tensor* out = Windowed(run, in, window[1], window[2], in[3]);
  for (int64_t i = 0; i < out->size; ++i) out->data[i] = -INFINITY;
  EachPixel(run, in, window[1], window[2], VisitLargest);
}

// The gradient goes to the first that is as large as the largest; then it is spent.
static void VisitPoolGrad(Run* run, int64_t o, int64_t i, int64_t w) {
  const int64_t channels = run->in[0].dims[3];
  for (int64_t c = 0; c < channels; ++c) {
    float* gradient = &run->in[2].data[o * channels + c];
    if (run->in[0].data[i * channels + c] != run->in[1].data[o * channels + c]) continue;
    run->out[0].data[i * channels + c] += *gradient;
    *gradient = 0;
  }
}
void MaxPoolGrad(Run* run) {
  const Tensor* gradient = &run->in[2];
  const size_t bytes = (size_t)gradient->size * sizeof(float);
  float* unspent = malloc(bytes + 1);
  memcpy(unspent, gradient->data, bytes);
  run->in[2].data = unspent;
  Output(run, run->in[0].dims, 4);
  EachPixel(run, run->in[0].dims, run->kernel->window[1], run->kernel->window[2], VisitPoolGrad);
  free(unspent);
}
