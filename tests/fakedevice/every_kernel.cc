// The second form of the device: every kernel of the CPU again, for the device.
//
// Whatever has a kernel on the CPU has it here, with its own type constraints: the CPU's kernel does
// the work, in the same memory, and its results can then be spoilt (faults.h). It needs the C++ API,
// so that each release of TensorFlow needs its own build, by the compiler that the wheel was made
// for.

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "faults.h"
#include "tensorflow/core/framework/kernel_def.pb.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_def.pb.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/resource_mgr.h"
#include "tensorflow/core/framework/resource_var.h"

namespace {

using namespace tensorflow;  // NOLINT: half of what follows is its names

// ---- Running a kernel.

// The shape that carries the batch: of the first input that is at least a matrix.
TensorShape BatchShape(OpKernelContext* context) {
  for (int i = 0; i < context->num_inputs(); ++i)
    if (!context->input_is_ref(i) && context->input_dtype(i) != DT_RESOURCE &&
        context->has_input(i) && context->input(i).dims() >= 2)
      return context->input(i).shape();
  for (int i = 0; i < context->num_inputs(); ++i)
    if (!context->input_is_ref(i) && context->has_input(i) && context->input(i).dims() == 1)
      return context->input(i).shape();
  return TensorShape();
}

FakeResult ResultOf(OpKernelContext* context, const Tensor& tensor) {
  FakeResult result = {static_cast<int>(tensor.dtype()), nullptr, 0, -1, 0};
  if (DataTypeCanUseMemcpy(tensor.dtype())) {
    result.data = const_cast<char*>(tensor.tensor_data().data());
    result.bytes = tensor.tensor_data().size();
  }
  const TensorShape batch = BatchShape(context);
  if (batch.dims() > 0) result.batch = batch.dim_size(0);
  for (int i = 0; i < context->num_inputs(); ++i)
    if (!context->input_is_ref(i) && context->has_input(i))
      for (const int64_t size : context->input(i).shape().dim_sizes())
        result.longest = std::max<int64_t>(result.longest, size);
  return result;
}

// What an op computes is its first output or, of an optimiser, the variable that it updates.
void Report(FakeOp* op, OpKernelContext* context) {
  if (!context->status().ok()) return;
  if (context->num_outputs() > 0) {
    Tensor* output = IsRefType(context->expected_output_dtype(0)) ? nullptr
                                                                  : context->mutable_output(0);
    const FakeResult result = ResultOf(context, output ? *output : Tensor());
    return FakeRun(op, &result);
  }
  core::RefCountPtr<Var> variable;
  if (context->num_inputs() > 0 && context->input_dtype(0) == DT_RESOURCE &&
      LookupResource(context, HandleFromInput(context, 0), &variable).ok()) {
    const FakeResult result = ResultOf(context, *variable->tensor());
    return FakeRun(op, &result);
  }
  const FakeResult nothing = {0, nullptr, 0, -1, 0};
  FakeRun(op, &nothing);
}

class Again : public OpKernel {
 public:
  Again(OpKernelConstruction* construction, OpKernel* kernel, FakeOp* op)
      : OpKernel(construction), kernel_(kernel), op_(op) {}
  void Compute(OpKernelContext* context) override {
    kernel_->Compute(context);
    Report(op_, context);
  }
  bool IsExpensive() override { return kernel_->IsExpensive(); }
  const Tensor* const_tensor() const override { return kernel_->const_tensor(); }

 private:
  const std::unique_ptr<OpKernel> kernel_;
  FakeOp* const op_;
};

class AgainAsync : public AsyncOpKernel {
 public:
  AgainAsync(OpKernelConstruction* construction, OpKernel* kernel, FakeOp* op)
      : AsyncOpKernel(construction), kernel_(kernel), op_(op) {}
  void ComputeAsync(OpKernelContext* context, DoneCallback done) override {
    kernel_->AsAsync()->ComputeAsync(context, [this, context, done = std::move(done)] {
      Report(op_, context);
      done();
    });
  }

 private:
  const std::unique_ptr<OpKernel> kernel_;
  FakeOp* const op_;
};

class Factory : public kernel_factory::OpKernelFactory {
 public:
  explicit Factory(FakeOp* op) : op_(op) {}
  OpKernel* Create(OpKernelConstruction* construction) override {
    OpKernel* kernel = nullptr;
    FunctionLibraryRuntime* library = construction->function_library();
    const auto status = CreateOpKernel(
        DeviceType(DEVICE_CPU), construction->device(),
        construction->device()->GetAllocator(AllocatorAttributes()), library,
        construction->resource_manager(),
        std::make_shared<const NodeProperties>(&OpDefOf(construction), construction->def(),
                                               Types(construction, true),
                                               Types(construction, false)),
        construction->graph_def_version(), &kernel);
    construction->SetStatus(status);
    if (!status.ok()) return nullptr;
    if (kernel->AsAsync()) return new AgainAsync(construction, kernel, op_);
    return new Again(construction, kernel, op_);
  }

 private:
  static const OpDef& OpDefOf(OpKernelConstruction* construction) {
    const OpDef* definition = nullptr;
    TF_CHECK_OK(OpRegistry::Global()->LookUpOpDef(construction->def().op(), &definition));
    return *definition;
  }
  static DataTypeVector Types(OpKernelConstruction* construction, bool inputs) {
    DataTypeVector types;
    const int count = inputs ? construction->num_inputs() : construction->num_outputs();
    for (int i = 0; i < count; ++i)
      types.push_back(inputs ? construction->input_type(i) : construction->output_type(i));
    return types;
  }

  FakeOp* const op_;
};

// ---- Registering it.

bool Allows(const KernelDef::AttrConstraint& constraint, int type) {
  const auto& types = constraint.allowed_values().list().type();
  return std::find(types.begin(), types.end(), type) != types.end();
}

// Whether the two have a type in common where both ask for one of some.
bool Overlap(const KernelDef::AttrConstraint& a, const KernelDef::AttrConstraint& b) {
  const auto& types = a.allowed_values().list().type();
  return a.name() != b.name() ||
         std::any_of(types.begin(), types.end(), [&](int type) { return Allows(b, type); });
}

// Whether there is a node that both would run.
bool Overlap(const KernelDef& a, const KernelDef& b) {
  for (const auto& x : a.constraint())
    for (const auto& y : b.constraint())
      if (!Overlap(x, y)) return false;
  return a.label() == b.label();
}

// Datasets, what they keep, and what copies belong to the host; no vendor's plugin has them.
bool IsOfHost(const std::string& op) {
  for (const char* word : {"Dataset", "Iterator", "SeedGenerator", "MemoryCache"})
    if (op.find(word) != std::string::npos) return true;
  return op == "_HostSend" || op == "_HostRecv";
}

bool IsForDevice(const KernelDef& kernel) {
  return kernel.device_type() == DEVICE_GPU || kernel.device_type() == "DEFAULT";
}

// Handles and strings are no memory that a device could copy: they stay in the host's. (Variants are
// the device's by TensorFlow's own convention: `_Retval` and the tensor lists have them there.)
bool StaysOnHost(const OpDef::ArgDef& argument, const KernelDef& kernel) {
  const auto is_host = [](int type) {
    return type == DT_STRING || type == DT_RESOURCE;
  };
  if (argument.type_attr().empty()) return argument.type_list_attr().empty() && is_host(argument.type());
  for (const auto& constraint : kernel.constraint())
    if (constraint.name() == argument.type_attr())
      for (const int type : constraint.allowed_values().list().type())
        if (is_host(type)) return true;
  return false;
}

KernelDef ForDevice(const KernelDef& cpu, const OpDef& op) {
  KernelDef kernel = cpu;
  kernel.set_device_type(DEVICE_GPU);
  kernel.clear_host_memory_arg();
  for (const auto* arguments : {&op.input_arg(), &op.output_arg()})
    for (const auto& argument : *arguments)
      if (StaysOnHost(argument, kernel)) kernel.add_host_memory_arg(argument.name());
  return kernel;
}

// Registers one kernel of the CPU for the device, unless the stock wheel has one for any GPU: that is
// taken, as it would be beside a vendor's plugin. Only an op with a fault goes before it.
void Register(const KernelDef& cpu, const std::vector<const KernelDef*>& stock) {
  const OpDef* definition = nullptr;
  if (!OpRegistry::Global()->LookUpOpDef(cpu.op(), &definition).ok()) return;
  FakeOp* op = FakeOpNamed(cpu.op().c_str());
  if (FakeIsMissing(op)) return;
  KernelDef kernel = ForDevice(cpu, *definition);
  const bool has_stock = std::any_of(stock.begin(), stock.end(), [&](const KernelDef* other) {
    return Overlap(kernel, *other);
  });
  if (has_stock && !FakeHasFaults(op)) return;
  // Two kernels of one priority for one node are an error.
  if (has_stock) kernel.set_priority(cpu.priority() + 10);
  kernel_factory::OpKernelRegistrar(new KernelDef(kernel), "Again", std::make_unique<Factory>(op));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void TF_InitKernel() {
  const KernelList all = GetAllRegisteredKernels();
  std::map<std::string, std::vector<const KernelDef*>> stock;
  for (const KernelDef& kernel : all.kernel())
    if (IsForDevice(kernel)) stock[kernel.op()].push_back(&kernel);
  for (const KernelDef& kernel : all.kernel())
    if (kernel.device_type() == DEVICE_CPU && !IsOfHost(kernel.op()))
      Register(kernel, stock[kernel.op()]);
}
