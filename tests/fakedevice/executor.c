// A PluggableDevice of type GPU in the host's memory, for trials without any GPU.
//
// It stands where a Metal plugin would: TensorFlow finds it in site-packages/tensorflow-plugins,
// lists GPU:0 and places ops on it. Everything is synchronous. Two pseudo-ops carry faults of its
// own: `Device` (missing: it is not there) and `CopyToHost`. Built against the headers of an
// installed wheel, 2.12 to 2.22.

#define _GNU_SOURCE

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "tensorflow/c/experimental/grappler/grappler.h"
#include "tensorflow/c/experimental/stream_executor/stream_executor.h"
#include "tensorflow/c/tf_buffer.h"
#include "tensorflow/c/tf_datatype.h"
#include "tensorflow/c/tf_status.h"

#define EXPORTED __attribute__((visibility("default")))

// BFCAllocator of 2.22 refuses memory of less; before, 64 bytes were enough.
enum { kAlignment = 256 };

static FakeOp* device_op;
static FakeOp* copy_to_host;

static void Done(TF_Status* status) { TF_SetStatus(status, TF_OK, ""); }

static void* Aligned(uint64_t size) {
  void* memory = NULL;
  return posix_memalign(&memory, kAlignment, size) == 0 ? memory : NULL;
}

static void Allocate(const SP_Device* d, uint64_t size, int64_t space, SP_DeviceMemoryBase* memory) {
  memory->struct_size = SP_DEVICE_MEMORY_BASE_STRUCT_SIZE;
  memory->opaque = Aligned(size);
  memory->size = memory->opaque ? size : 0;
}
static void Deallocate(const SP_Device* d, SP_DeviceMemoryBase* memory) {
  free(memory->opaque);
  memory->opaque = NULL;
  memory->size = 0;
}
static void* HostAllocate(const SP_Device* d, uint64_t size) { return Aligned(size); }
static void HostDeallocate(const SP_Device* d, void* memory) { free(memory); }
static TF_Bool AllocatorStats(const SP_Device* d, SP_AllocatorStats* stats) { return 0; }
static TF_Bool MemoryUsage(const SP_Device* d, int64_t* free_bytes, int64_t* total) {
  *free_bytes = *total = (int64_t)1 << 32;
  return 1;
}

// Streams, events and timers have no content: an address tells them apart.
static void CreateStream(const SP_Device* d, SP_Stream* stream, TF_Status* status) {
  *stream = malloc(1);
  Done(status);
}
static void DestroyStream(const SP_Device* d, SP_Stream stream) { free(stream); }
static void CreateEvent(const SP_Device* d, SP_Event* event, TF_Status* status) {
  *event = malloc(1);
  Done(status);
}
static void DestroyEvent(const SP_Device* d, SP_Event event) { free(event); }
static void CreateTimer(const SP_Device* d, SP_Timer* timer, TF_Status* status) {
  *timer = malloc(1);
  Done(status);
}
static void DestroyTimer(const SP_Device* d, SP_Timer timer) { free(timer); }
static void DoneTimer(const SP_Device* d, SP_Stream stream, SP_Timer timer, TF_Status* status) {
  Done(status);
}
static uint64_t Nanoseconds(SP_Timer timer) { return 0; }

static void DoneDependency(const SP_Device* d, SP_Stream a, SP_Stream b, TF_Status* status) {
  Done(status);
}
static void DoneStream(const SP_Device* d, SP_Stream stream, TF_Status* status) { Done(status); }
static SE_EventStatus EventStatus(const SP_Device* d, SP_Event event) { return SE_EVENT_COMPLETE; }
static void DoneEvent(const SP_Device* d, SP_Event event, TF_Status* status) { Done(status); }
static void DoneStreamEvent(const SP_Device* d, SP_Stream s, SP_Event event, TF_Status* status) {
  Done(status);
}
static void DoneDevice(const SP_Device* d, TF_Status* status) { Done(status); }

static void SyncToHost(const SP_Device* d, void* to, const SP_DeviceMemoryBase* from, uint64_t size,
                       TF_Status* status) {
  memcpy(to, from->opaque, size);
  // A copy does not know what it copies; faults are planted in numbers of 32 bits.
  const FakeResult result = {TF_FLOAT, to, size - size % 4, -1, (int64_t)size / 4};
  FakeRun(copy_to_host, &result);
  Done(status);
}
static void ToHost(const SP_Device* d, SP_Stream s, void* to, const SP_DeviceMemoryBase* from,
                   uint64_t size, TF_Status* status) {
  SyncToHost(d, to, from, size, status);
}
static void SyncToDevice(const SP_Device* d, SP_DeviceMemoryBase* to, const void* from,
                         uint64_t size, TF_Status* status) {
  memcpy(to->opaque, from, size);
  Done(status);
}
static void ToDevice(const SP_Device* d, SP_Stream s, SP_DeviceMemoryBase* to, const void* from,
                     uint64_t size, TF_Status* status) {
  SyncToDevice(d, to, from, size, status);
}
static void SyncOnDevice(const SP_Device* d, SP_DeviceMemoryBase* to,
                         const SP_DeviceMemoryBase* from, uint64_t size, TF_Status* status) {
  memmove(to->opaque, from->opaque, size);
  Done(status);
}
static void OnDevice(const SP_Device* d, SP_Stream s, SP_DeviceMemoryBase* to,
                     const SP_DeviceMemoryBase* from, uint64_t size, TF_Status* status) {
  SyncOnDevice(d, to, from, size, status);
}
static void Zero(const SP_Device* d, SP_Stream s, SP_DeviceMemoryBase* to, uint64_t size,
                 TF_Status* status) {
  memset(to->opaque, 0, size);
  Done(status);
}
static void Fill8(const SP_Device* d, SP_Stream s, SP_DeviceMemoryBase* to, uint8_t pattern,
                  uint64_t size, TF_Status* status) {
  memset(to->opaque, pattern, size);
  Done(status);
}
static void Fill32(const SP_Device* d, SP_Stream s, SP_DeviceMemoryBase* to, uint32_t pattern,
                   uint64_t size, TF_Status* status) {
  for (uint64_t i = 0; i < size / sizeof(pattern); ++i) ((uint32_t*)to->opaque)[i] = pattern;
  Done(status);
}
static TF_Bool HostCallback(const SP_Device* d, SP_Stream s, SE_StatusCallbackFn call, void* arg) {
  TF_Status* status = TF_NewStatus();
  call(arg, status);
  const int is_ok = TF_GetCode(status) == TF_OK;
  TF_DeleteStatus(status);
  return is_ok;
}

static void CreateExecutor(const SP_Platform* p, SE_CreateStreamExecutorParams* params,
                           TF_Status* status) {
  *params->stream_executor = (SP_StreamExecutor){
      .struct_size = SP_STREAMEXECUTOR_STRUCT_SIZE,
      .allocate = Allocate,
      .deallocate = Deallocate,
      .host_memory_allocate = HostAllocate,
      .host_memory_deallocate = HostDeallocate,
      .get_allocator_stats = AllocatorStats,
      .device_memory_usage = MemoryUsage,
      .create_stream = CreateStream,
      .destroy_stream = DestroyStream,
      .create_stream_dependency = DoneDependency,
      .get_stream_status = DoneStream,
      .create_event = CreateEvent,
      .destroy_event = DestroyEvent,
      .get_event_status = EventStatus,
      .record_event = DoneStreamEvent,
      .wait_for_event = DoneStreamEvent,
      .create_timer = CreateTimer,
      .destroy_timer = DestroyTimer,
      .start_timer = DoneTimer,
      .stop_timer = DoneTimer,
      .memcpy_dtoh = ToHost,
      .memcpy_htod = ToDevice,
      .memcpy_dtod = OnDevice,
      .sync_memcpy_dtoh = SyncToHost,
      .sync_memcpy_htod = SyncToDevice,
      .sync_memcpy_dtod = SyncOnDevice,
      .block_host_for_event = DoneEvent,
      .block_host_until_done = DoneStream,
      .synchronize_all_activity = DoneDevice,
      .mem_zero = Zero,
      .memset = Fill8,
      .memset32 = Fill32,
      .host_callback = HostCallback,
  };
  Done(status);
}

static void DeviceCount(const SP_Platform* p, int* count, TF_Status* status) {
  *count = !FakeIsMissing(device_op);
  Done(status);
}
static void CreateDevice(const SP_Platform* p, SE_CreateDeviceParams* params, TF_Status* status) {
  params->device->struct_size = SP_DEVICE_STRUCT_SIZE;
  params->device->ordinal = params->ordinal;
  params->device->hardware_name = "host memory";
  params->device->device_vendor = "tensorflow_macos_build";
  params->device->pci_bus_id = "0000:00:00.0";
  Done(status);
}
static void CreateDeviceFns(const SP_Platform* p, SE_CreateDeviceFnsParams* params,
                            TF_Status* status) {
  *params->device_fns = (SP_DeviceFns){.struct_size = SP_DEVICE_FNS_STRUCT_SIZE};
  Done(status);
}
static void CreateTimerFns(const SP_Platform* p, SP_TimerFns* timer, TF_Status* status) {
  timer->struct_size = SP_TIMER_FNS_STRUCT_SIZE;
  timer->nanoseconds = Nanoseconds;
  Done(status);
}
static void DestroyDevice(const SP_Platform* p, SP_Device* d) {}
static void DestroyDeviceFns(const SP_Platform* p, SP_DeviceFns* fns) {}
static void DestroyExecutor(const SP_Platform* p, SP_StreamExecutor* executor) {}
static void DestroyTimerFns(const SP_Platform* p, SP_TimerFns* fns) {}
static void DestroyPlatform(SP_Platform* p) {}
static void DestroyPlatformFns(SP_PlatformFns* fns) {}

EXPORTED void SE_InitPlugin(SE_PlatformRegistrationParams* params, TF_Status* status) {
  device_op = FakeOpNamed("Device");
  copy_to_host = FakeOpNamed("CopyToHost");
  params->platform->struct_size = SP_PLATFORM_STRUCT_SIZE;
  params->platform->name = "TEST";
  params->platform->type = "GPU";
  params->platform->supports_unified_memory = 0;
  params->platform->use_bfc_allocator = 1;
  *params->platform_fns = (SP_PlatformFns){
      .struct_size = SP_PLATFORM_FNS_STRUCT_SIZE,
      .get_device_count = DeviceCount,
      .create_device = CreateDevice,
      .destroy_device = DestroyDevice,
      .create_device_fns = CreateDeviceFns,
      .destroy_device_fns = DestroyDeviceFns,
      .create_stream_executor = CreateExecutor,
      .destroy_stream_executor = DestroyExecutor,
      .create_timer_fns = CreateTimerFns,
      .destroy_timer_fns = DestroyTimerFns,
  };
  params->destroy_platform = DestroyPlatform;
  params->destroy_platform_fns = DestroyPlatformFns;
  Done(status);
}

static void* CreateOptimizer(void) { return NULL; }
static void DestroyOptimizer(void* optimizer) {}
static void Free(void* data, size_t length) { free(data); }
static void Unchanged(void* optimizer, const TF_Buffer* in, const TF_GrapplerItem* item,
                      TF_Buffer* out, TF_Status* status) {
  void* copy = malloc(in->length);
  memcpy(copy, in->data, in->length);
  out->data = copy;
  out->length = in->length;
  out->data_deallocator = Free;
  Done(status);
}

// Of a GPU, TensorFlow expects kernels for NCHW and fused convolutions (grappler's layout and
// remapper passes, made for CUDA); a plugin that has none says so here.
EXPORTED void TF_InitGraph(TP_OptimizerRegistrationParams* params, TF_Status* status) {
  params->struct_size = TP_OPTIMIZER_REGISTRATION_PARAMS_STRUCT_SIZE;
  params->device_type = "GPU";
  params->optimizer_configs->struct_size = TP_OPTIMIZER_CONFIGS_STRUCT_SIZE;
  params->optimizer_configs->layout_optimizer = TF_TriState_Off;
  params->optimizer_configs->remapping = TF_TriState_Off;
  params->optimizer->struct_size = TP_OPTIMIZER_STRUCT_SIZE;
  params->optimizer->create_func = CreateOptimizer;
  params->optimizer->destroy_func = DestroyOptimizer;
  params->optimizer->optimize_func = Unchanged;
  Done(status);
}
