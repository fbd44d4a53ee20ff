// A PluggableDevice of type GPU in the host's memory, for trials without any GPU.
//
// It stands where a Metal plugin would: TensorFlow finds it in site-packages/tensorflow-plugins,
// lists GPU:0 and places ops on it. Everything is synchronous. Its kernels are those that a small
// convolutional network spends its time in, forward and backward, for 32-bit floats and NHWC; for
// all other ops TensorFlow takes the CPU. Each kernel counts its runs, and at the process's end the
// counts go to the file that TEST_DEVICE_RUNS names: what is in there did run on this device.
//
// Built against the headers of an installed wheel, 2.19 to 2.22.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tensorflow/c/experimental/grappler/grappler.h"
#include "tensorflow/c/experimental/stream_executor/stream_executor.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/tf_buffer.h"
#include "tensorflow/c/tf_tensor.h"

namespace {

// ---- How often each kernel ran.

std::mutex runs_lock;
std::map<std::string, long> runs;

void Count(const char* op) {
  std::lock_guard<std::mutex> guard(runs_lock);
  ++runs[op];
}

struct RunsFile {
  ~RunsFile() {
    const char* path = std::getenv("TEST_DEVICE_RUNS");
    std::FILE* file = path ? std::fopen(path, "w") : nullptr;
    if (!file) return;
    for (const auto& [op, count] : runs) std::fprintf(file, "%s %ld\n", op.c_str(), count);
    std::fclose(file);
  }
} runs_file;

// ---- The device: its memory is the host's, and what it is asked for is done at once.

// BFCAllocator of 2.22 refuses memory of less; before, 64 bytes were enough.
constexpr size_t kAlignment = 256;

void Done(TF_Status* status) { TF_SetStatus(status, TF_OK, ""); }

void Allocate(const SP_Device*, uint64_t size, int64_t, SP_DeviceMemoryBase* memory) {
  memory->struct_size = SP_DEVICE_MEMORY_BASE_STRUCT_SIZE;
  memory->size = posix_memalign(&memory->opaque, kAlignment, size) == 0 ? size : 0;
}
void Deallocate(const SP_Device*, SP_DeviceMemoryBase* memory) {
  std::free(memory->opaque);
  memory->opaque = nullptr;
  memory->size = 0;
}
void* HostAllocate(const SP_Device*, uint64_t size) {
  void* memory = nullptr;
  return posix_memalign(&memory, kAlignment, size) == 0 ? memory : nullptr;
}
void HostDeallocate(const SP_Device*, void* memory) { std::free(memory); }
TF_Bool AllocatorStats(const SP_Device*, SP_AllocatorStats*) { return false; }
TF_Bool MemoryUsage(const SP_Device*, int64_t* free, int64_t* total) {
  *free = *total = int64_t{1} << 30;
  return true;
}

template <typename Handle>
void Create(const SP_Device*, Handle* handle, TF_Status* status) {
  *handle = reinterpret_cast<Handle>(new char);
  Done(status);
}
template <typename Handle>
void Destroy(const SP_Device*, Handle handle) {
  delete reinterpret_cast<char*>(handle);
}
SE_EventStatus EventStatus(const SP_Device*, SP_Event) { return SE_EVENT_COMPLETE; }
uint64_t Nanoseconds(SP_Timer) { return 0; }

void ToHost(const SP_Device*, SP_Stream, void* to, const SP_DeviceMemoryBase* from, uint64_t size,
            TF_Status* status) {
  std::memcpy(to, from->opaque, size);
  Done(status);
}
void ToDevice(const SP_Device*, SP_Stream, SP_DeviceMemoryBase* to, const void* from, uint64_t size,
              TF_Status* status) {
  std::memcpy(to->opaque, from, size);
  Done(status);
}
void OnDevice(const SP_Device*, SP_Stream, SP_DeviceMemoryBase* to, const SP_DeviceMemoryBase* from,
              uint64_t size, TF_Status* status) {
  std::memcpy(to->opaque, from->opaque, size);
  Done(status);
}
void Fill32(const SP_Device*, SP_Stream, SP_DeviceMemoryBase* to, uint32_t pattern, uint64_t size,
            TF_Status* status) {
  std::fill_n(static_cast<uint32_t*>(to->opaque), size / sizeof(pattern), pattern);
  Done(status);
}

void CreateExecutor(const SP_Platform*, SE_CreateStreamExecutorParams* params, TF_Status* status) {
  SP_StreamExecutor* executor = params->stream_executor;
  executor->struct_size = SP_STREAMEXECUTOR_STRUCT_SIZE;
  executor->allocate = Allocate;
  executor->deallocate = Deallocate;
  executor->host_memory_allocate = HostAllocate;
  executor->host_memory_deallocate = HostDeallocate;
  executor->get_allocator_stats = AllocatorStats;
  executor->device_memory_usage = MemoryUsage;
  executor->create_stream = Create<SP_Stream>;
  executor->destroy_stream = Destroy<SP_Stream>;
  executor->create_stream_dependency = [](const SP_Device*, SP_Stream, SP_Stream, TF_Status* s) {
    Done(s);
  };
  executor->get_stream_status = [](const SP_Device*, SP_Stream, TF_Status* s) { Done(s); };
  executor->create_event = Create<SP_Event>;
  executor->destroy_event = Destroy<SP_Event>;
  executor->get_event_status = EventStatus;
  executor->record_event = [](const SP_Device*, SP_Stream, SP_Event, TF_Status* s) { Done(s); };
  executor->wait_for_event = [](const SP_Device* const, SP_Stream, SP_Event, TF_Status* const s) {
    Done(s);
  };
  executor->create_timer = Create<SP_Timer>;
  executor->destroy_timer = Destroy<SP_Timer>;
  executor->start_timer = [](const SP_Device*, SP_Stream, SP_Timer, TF_Status* s) { Done(s); };
  executor->stop_timer = [](const SP_Device*, SP_Stream, SP_Timer, TF_Status* s) { Done(s); };
  executor->memcpy_dtoh = ToHost;
  executor->memcpy_htod = ToDevice;
  executor->memcpy_dtod = OnDevice;
  executor->sync_memcpy_dtoh = [](const SP_Device* d, void* to, const SP_DeviceMemoryBase* from,
                                  uint64_t size,
                                  TF_Status* s) { ToHost(d, nullptr, to, from, size, s); };
  executor->sync_memcpy_htod = [](const SP_Device* d, SP_DeviceMemoryBase* to, const void* from,
                                  uint64_t size,
                                  TF_Status* s) { ToDevice(d, nullptr, to, from, size, s); };
  executor->sync_memcpy_dtod = [](const SP_Device* d, SP_DeviceMemoryBase* to,
                                  const SP_DeviceMemoryBase* from, uint64_t size,
                                  TF_Status* s) { OnDevice(d, nullptr, to, from, size, s); };
  executor->block_host_for_event = [](const SP_Device*, SP_Event, TF_Status* s) { Done(s); };
  executor->block_host_until_done = [](const SP_Device*, SP_Stream, TF_Status* s) { Done(s); };
  executor->synchronize_all_activity = [](const SP_Device*, TF_Status* s) { Done(s); };
  executor->mem_zero = [](const SP_Device*, SP_Stream, SP_DeviceMemoryBase* to, uint64_t size,
                          TF_Status* s) {
    std::memset(to->opaque, 0, size);
    Done(s);
  };
  executor->memset = [](const SP_Device*, SP_Stream, SP_DeviceMemoryBase* to, uint8_t pattern,
                        uint64_t size, TF_Status* s) {
    std::memset(to->opaque, pattern, size);
    Done(s);
  };
  executor->memset32 = Fill32;
  executor->host_callback = [](const SP_Device*, SP_Stream, SE_StatusCallbackFn call,
                               void* argument) -> TF_Bool {
    TF_Status* result = TF_NewStatus();
    call(argument, result);
    const bool is_ok = TF_GetCode(result) == TF_OK;
    TF_DeleteStatus(result);
    return is_ok;
  };
  Done(status);
}

void CreateDevice(const SP_Platform*, SE_CreateDeviceParams* params, TF_Status* status) {
  params->device->struct_size = SP_DEVICE_STRUCT_SIZE;
  params->device->ordinal = params->ordinal;
  params->device->hardware_name = "host memory";
  params->device->device_vendor = "tensorflow_macos_build";
  params->device->pci_bus_id = "0000:00:00.0";
  Done(status);
}

// ---- Kernels.

TF_Status* NewStatus() { return TF_NewStatus(); }

// A tensor of 32-bit floats that belongs to one run of a kernel.
struct Floats {
  TF_Tensor* tensor;
  std::vector<int64_t> dims;
  float* data;
  int64_t size;

  explicit Floats(TF_Tensor* owned) : tensor(owned), size(TF_TensorElementCount(owned)) {
    for (int i = 0; i < TF_NumDims(tensor); ++i) dims.push_back(TF_Dim(tensor, i));
    data = static_cast<float*>(TF_TensorData(tensor));
  }
  Floats(const Floats&) = delete;
  ~Floats() { TF_DeleteTensor(tensor); }
};

TF_Tensor* Input(TF_OpKernelContext* context, int index) {
  TF_Status* status = NewStatus();
  TF_Tensor* tensor = nullptr;
  TF_GetInput(context, index, &tensor, status);
  TF_DeleteStatus(status);
  return tensor;
}

TF_Tensor* Output(TF_OpKernelContext* context, const std::vector<int64_t>& dims) {
  int64_t size = 1;
  for (int64_t dim : dims) size *= dim;
  TF_Status* status = NewStatus();
  TF_Tensor* tensor =
      TF_AllocateOutput(context, 0, TF_FLOAT, dims.data(), static_cast<int>(dims.size()),
                        size * sizeof(float), status);
  TF_DeleteStatus(status);
  std::fill_n(static_cast<float*>(TF_TensorData(tensor)), size, 0.0f);
  return tensor;
}

// The attributes of all the ops here; each reads those that it has.
struct Attributes {
  TF_Bool transpose_a = false, transpose_b = false;
  bool same = false;
  int32_t strides[4] = {1, 1, 1, 1}, window[4] = {1, 1, 1, 1};
};

void ReadList(TF_OpKernelConstruction* construction, const char* name, int32_t* values) {
  TF_Status* status = NewStatus();
  TF_OpKernelConstruction_GetAttrInt32List(construction, name, values, 4, status);
  TF_DeleteStatus(status);
}

void* NoAttributes(TF_OpKernelConstruction*) { return new Attributes; }

void* MatMulAttributes(TF_OpKernelConstruction* construction) {
  auto* attributes = new Attributes;
  TF_Status* status = NewStatus();
  TF_OpKernelConstruction_GetAttrBool(construction, "transpose_a", &attributes->transpose_a,
                                      status);
  TF_OpKernelConstruction_GetAttrBool(construction, "transpose_b", &attributes->transpose_b,
                                      status);
  TF_DeleteStatus(status);
  return attributes;
}

void* WindowAttributes(TF_OpKernelConstruction* construction) {
  auto* attributes = new Attributes;
  char padding[16] = "", format[8] = "NHWC";
  TF_Status* status = NewStatus();
  TF_OpKernelConstruction_GetAttrString(construction, "padding", padding, sizeof(padding) - 1,
                                        status);
  TF_OpKernelConstruction_GetAttrString(construction, "data_format", format, sizeof(format) - 1,
                                        status);
  if (std::strncmp(format, "NHWC", 4) != 0 || std::strncmp(padding, "EXPLICIT", 8) == 0) {
    TF_SetStatus(status, TF_UNIMPLEMENTED, "the test device knows NHWC, and no explicit padding");
    TF_OpKernelConstruction_Failure(construction, status);
  }
  TF_DeleteStatus(status);
  attributes->same = std::strncmp(padding, "SAME", 4) == 0;
  ReadList(construction, "strides", attributes->strides);
  return attributes;
}

void* PoolAttributes(TF_OpKernelConstruction* construction) {
  auto* attributes = static_cast<Attributes*>(WindowAttributes(construction));
  ReadList(construction, "ksize", attributes->window);
  return attributes;
}

void DeleteAttributes(void* attributes) { delete static_cast<Attributes*>(attributes); }

// How a window lies over one dimension of a picture (tf.nn.convolution, "SAME" and "VALID").
struct Span {
  int64_t outputs, stride, before;

  Span(int64_t inputs, int64_t window, int64_t stride_, bool same) : stride(stride_) {
    outputs = same ? (inputs + stride - 1) / stride : (inputs - window + stride) / stride;
    before = same ? std::max<int64_t>((outputs - 1) * stride + window - inputs, 0) / 2 : 0;
  }
};

// Calls `visit(output pixel, input pixel, window pixel)` for all that meet, of all pictures of a
// batch.
template <typename Visit>
void EachPixel(const std::vector<int64_t>& in, int64_t rows, int64_t columns,
               const Attributes& attributes, Visit visit) {
  const Span y(in[1], rows, attributes.strides[1], attributes.same);
  const Span x(in[2], columns, attributes.strides[2], attributes.same);
  for (int64_t n = 0; n < in[0]; ++n)
    for (int64_t oy = 0; oy < y.outputs; ++oy)
      for (int64_t ox = 0; ox < x.outputs; ++ox)
        for (int64_t wy = 0; wy < rows; ++wy)
          for (int64_t wx = 0; wx < columns; ++wx) {
            const int64_t iy = oy * y.stride + wy - y.before, ix = ox * x.stride + wx - x.before;
            if (iy < 0 || iy >= in[1] || ix < 0 || ix >= in[2]) continue;
            visit((n * y.outputs + oy) * x.outputs + ox, (n * in[1] + iy) * in[2] + ix,
                  wy * columns + wx);
          }
}

std::vector<int64_t> Pooled(const std::vector<int64_t>& in, int64_t rows, int64_t columns,
                            int64_t channels, const Attributes& attributes) {
  return {in[0], Span(in[1], rows, attributes.strides[1], attributes.same).outputs,
          Span(in[2], columns, attributes.strides[2], attributes.same).outputs, channels};
}

// Whole numbers that an op takes in the host's memory: the size of what it makes.
std::vector<int64_t> Sizes(TF_OpKernelContext* context, int index) {
  TF_Tensor* tensor = Input(context, index);
  const auto* values = static_cast<const int32_t*>(TF_TensorData(tensor));
  std::vector<int64_t> sizes(values, values + TF_TensorElementCount(tensor));
  TF_DeleteTensor(tensor);
  return sizes;
}

void MatMul(const Attributes& attributes, TF_OpKernelContext* context) {
  Floats a(Input(context, 0)), b(Input(context, 1));
  const int64_t rows = a.dims[attributes.transpose_a ? 1 : 0],
                inner = a.dims[attributes.transpose_a ? 0 : 1];
  const int64_t columns = b.dims[attributes.transpose_b ? 0 : 1];
  Floats out(Output(context, {rows, columns}));
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = 0; k < inner; ++k) {
      const float left = a.data[attributes.transpose_a ? k * rows + i : i * inner + k];
      for (int64_t j = 0; j < columns; ++j)
        out.data[i * columns + j] +=
            left * b.data[attributes.transpose_b ? j * inner + k : k * columns + j];
    }
}

void Conv2D(const Attributes& attributes, TF_OpKernelContext* context) {
  Floats in(Input(context, 0)), filter(Input(context, 1));
  const int64_t channels = filter.dims[2], filters = filter.dims[3];
  Floats out(Output(context, Pooled(in.dims, filter.dims[0], filter.dims[1], filters, attributes)));
  EachPixel(in.dims, filter.dims[0], filter.dims[1], attributes,
            [&](int64_t o, int64_t i, int64_t w) {
              for (int64_t c = 0; c < channels; ++c)
                for (int64_t f = 0; f < filters; ++f)
                  out.data[o * filters + f] +=
                      in.data[i * channels + c] * filter.data[(w * channels + c) * filters + f];
            });
}

void Conv2DBackpropInput(const Attributes& attributes, TF_OpKernelContext* context) {
  Floats filter(Input(context, 1)), gradient(Input(context, 2)),
      out(Output(context, Sizes(context, 0)));
  const int64_t channels = filter.dims[2], filters = filter.dims[3];
  EachPixel(
      out.dims, filter.dims[0], filter.dims[1], attributes, [&](int64_t o, int64_t i, int64_t w) {
        for (int64_t c = 0; c < channels; ++c)
          for (int64_t f = 0; f < filters; ++f)
            out.data[i * channels + c] +=
                gradient.data[o * filters + f] * filter.data[(w * channels + c) * filters + f];
      });
}

void Conv2DBackpropFilter(const Attributes& attributes, TF_OpKernelContext* context) {
  Floats in(Input(context, 0)), gradient(Input(context, 2)),
      out(Output(context, Sizes(context, 1)));
  const int64_t channels = out.dims[2], filters = out.dims[3];
  EachPixel(in.dims, out.dims[0], out.dims[1], attributes, [&](int64_t o, int64_t i, int64_t w) {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t f = 0; f < filters; ++f)
        out.data[(w * channels + c) * filters + f] +=
            in.data[i * channels + c] * gradient.data[o * filters + f];
  });
}

// The input pixel that is the largest below each output, -1 before any was seen.
std::vector<int64_t> Largest(const Floats& in, int64_t outputs, const Attributes& attributes) {
  const int64_t channels = in.dims[3];
  std::vector<int64_t> largest(outputs, -1);
  EachPixel(in.dims, attributes.window[1], attributes.window[2], attributes,
            [&](int64_t o, int64_t i, int64_t) {
              for (int64_t c = 0; c < channels; ++c) {
                int64_t& best = largest[o * channels + c];
                if (best < 0 || in.data[i * channels + c] > in.data[best]) best = i * channels + c;
              }
            });
  return largest;
}

void MaxPool(const Attributes& attributes, TF_OpKernelContext* context) {
  Floats in(Input(context, 0));
  Floats out(Output(context, Pooled(in.dims, attributes.window[1], attributes.window[2], in.dims[3],
                                    attributes)));
  const std::vector<int64_t> largest = Largest(in, out.size, attributes);
  for (int64_t i = 0; i < out.size; ++i) out.data[i] = in.data[largest[i]];
}

void MaxPoolGrad(const Attributes& attributes, TF_OpKernelContext* context) {
  Floats in(Input(context, 0)), gradient(Input(context, 2)), out(Output(context, in.dims));
  const std::vector<int64_t> largest = Largest(in, gradient.size, attributes);
  for (int64_t i = 0; i < gradient.size; ++i) out.data[largest[i]] += gradient.data[i];
}

void BiasAdd(const Attributes&, TF_OpKernelContext* context) {
  Floats in(Input(context, 0)), bias(Input(context, 1)), out(Output(context, in.dims));
  for (int64_t i = 0; i < in.size; ++i) out.data[i] = in.data[i] + bias.data[i % bias.size];
}

void BiasAddGrad(const Attributes&, TF_OpKernelContext* context) {
  Floats gradient(Input(context, 0)), out(Output(context, {gradient.dims.back()}));
  for (int64_t i = 0; i < gradient.size; ++i) out.data[i % out.size] += gradient.data[i];
}

void Relu(const Attributes&, TF_OpKernelContext* context) {
  Floats in(Input(context, 0)), out(Output(context, in.dims));
  for (int64_t i = 0; i < in.size; ++i) out.data[i] = std::max(in.data[i], 0.0f);
}

void ReluGrad(const Attributes&, TF_OpKernelContext* context) {
  Floats gradient(Input(context, 0)), features(Input(context, 1)),
      out(Output(context, features.dims));
  for (int64_t i = 0; i < out.size; ++i)
    out.data[i] = features.data[i] > 0 ? gradient.data[i] : 0.0f;
}

// Registers `Kernel` for 32-bit floats; `host` names an argument that stays in the host's memory.
template <void (*Kernel)(const Attributes&, TF_OpKernelContext*)>
void Register(const char* op, void* (*create)(TF_OpKernelConstruction*),
              const char* host = nullptr) {
  static const char* name = op;
  TF_KernelBuilder* builder = TF_NewKernelBuilder(
      op, "GPU", create,
      [](void* attributes, TF_OpKernelContext* context) {
        Count(name);
        Kernel(*static_cast<Attributes*>(attributes), context);
      },
      DeleteAttributes);
  TF_Status* status = NewStatus();
  TF_KernelBuilder_TypeConstraint(builder, "T", TF_FLOAT, status);
  if (host) TF_KernelBuilder_HostMemory(builder, host);
  TF_RegisterKernelBuilder(op, builder, status);
  if (TF_GetCode(status) != TF_OK)
    std::fprintf(stderr, "test device: %s: %s\n", op, TF_Message(status));
  TF_DeleteStatus(status);
}

}  // namespace

// ---- What TensorFlow looks for.

extern "C" __attribute__((visibility("default"))) void SE_InitPlugin(
    SE_PlatformRegistrationParams* params, TF_Status* status) {
  params->platform->struct_size = SP_PLATFORM_STRUCT_SIZE;
  params->platform->name = "TEST";
  params->platform->type = "GPU";
  params->platform->supports_unified_memory = false;
  params->platform->use_bfc_allocator = true;
  params->platform_fns->struct_size = SP_PLATFORM_FNS_STRUCT_SIZE;
  params->platform_fns->get_device_count = [](const SP_Platform*, int* count, TF_Status* s) {
    *count = 1;
    Done(s);
  };
  params->platform_fns->create_device = CreateDevice;
  params->platform_fns->destroy_device = [](const SP_Platform*, SP_Device*) {};
  params->platform_fns->create_device_fns = [](const SP_Platform*, SE_CreateDeviceFnsParams* fns,
                                               TF_Status* s) {
    *fns->device_fns = {SP_DEVICE_FNS_STRUCT_SIZE};
    Done(s);
  };
  params->platform_fns->destroy_device_fns = [](const SP_Platform*, SP_DeviceFns*) {};
  params->platform_fns->create_stream_executor = CreateExecutor;
  params->platform_fns->destroy_stream_executor = [](const SP_Platform*, SP_StreamExecutor*) {};
  params->platform_fns->create_timer_fns = [](const SP_Platform*, SP_TimerFns* timer,
                                              TF_Status* s) {
    timer->struct_size = SP_TIMER_FNS_STRUCT_SIZE;
    timer->nanoseconds = Nanoseconds;
    Done(s);
  };
  params->platform_fns->destroy_timer_fns = [](const SP_Platform*, SP_TimerFns*) {};
  params->destroy_platform = [](SP_Platform*) {};
  params->destroy_platform_fns = [](SP_PlatformFns*) {};
  Done(status);
}

extern "C" __attribute__((visibility("default"))) void TF_InitKernel() {
  Register<MatMul>("MatMul", MatMulAttributes);
  Register<Conv2D>("Conv2D", WindowAttributes);
  Register<Conv2DBackpropInput>("Conv2DBackpropInput", WindowAttributes, "input_sizes");
  Register<Conv2DBackpropFilter>("Conv2DBackpropFilter", WindowAttributes, "filter_sizes");
  Register<MaxPool>("MaxPool", PoolAttributes);
  Register<MaxPoolGrad>("MaxPoolGrad", PoolAttributes);
  Register<BiasAdd>("BiasAdd", NoAttributes);
  Register<BiasAddGrad>("BiasAddGrad", NoAttributes);
  Register<Relu>("Relu", NoAttributes);
  Register<ReluGrad>("ReluGrad", NoAttributes);
}

// Of a GPU, TensorFlow expects kernels for NCHW and fused convolutions (grappler's layout and
// remapper passes, made for CUDA); a plugin that has none says so here.
extern "C" __attribute__((visibility("default"))) void TF_InitGraph(
    TP_OptimizerRegistrationParams* params, TF_Status* status) {
  params->struct_size = TP_OPTIMIZER_REGISTRATION_PARAMS_STRUCT_SIZE;
  params->device_type = "GPU";
  params->optimizer_configs->struct_size = TP_OPTIMIZER_CONFIGS_STRUCT_SIZE;
  params->optimizer_configs->layout_optimizer = TF_TriState_Off;
  params->optimizer_configs->remapping = TF_TriState_Off;
  params->optimizer->struct_size = TP_OPTIMIZER_STRUCT_SIZE;
  params->optimizer->create_func = []() -> void* { return nullptr; };
  params->optimizer->destroy_func = [](void*) {};
  params->optimizer->optimize_func = [](void*, const TF_Buffer* in, const TF_GrapplerItem*,
                                        TF_Buffer* out, TF_Status* s) {
    void* copy = std::malloc(in->length);
    std::memcpy(copy, in->data, in->length);
    out->data = copy;
    out->length = in->length;
    out->data_deallocator = [](void* data, size_t) { std::free(data); };
    Done(s);
  };
  Done(status);
}
