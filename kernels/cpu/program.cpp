#include "cpu/program.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "cpu/denormals.h"
#include "cpu/gradient_product.h"
#include "cpu/kernel_table.h"
#include "cpu/optimizer_groups.h"
#include "cpu/plugin.h"
#include "cpu/status.h"

namespace addax::cpu {
namespace {

struct Region {
  const Kernel* kernel;
  const RunContext* context;
  size_t stage;
  std::atomic<bool> out_of_memory = false;
};

void run_chunk(void* context, int64_t chunk) {
  auto& region = *static_cast<Region*>(context);
  try {
    region.kernel->run(*region.context, region.stage, chunk);
  } catch (...) {
    region.out_of_memory.store(true, std::memory_order_relaxed);
  }
}

uint64_t now_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

bool stop_requested(adx_control* control) {
  return control != nullptr &&
         std::atomic_ref<uint32_t>(control->stop).load(std::memory_order_acquire) != 0;
}

std::string types_of(std::span<const Tensor> tensors) {
  std::string text;
  for (const Tensor& tensor : tensors) {
    text += (text.empty() ? "" : ", ") + TensorType{tensor.dtype, tensor.shape}.to_string();
  }
  return text;
}

double bytes_of(const Node& node) {
  double bytes = 0;
  for (const Tensor& tensor : node.inputs()) bytes += static_cast<double>(tensor.bytes());
  for (const Tensor& tensor : node.outputs()) bytes += static_cast<double>(tensor.bytes());
  return bytes;
}

// "matmul dense_1: 16 chunks + 1 serial".
std::string describe(const std::string& op, const std::string& label, const Kernel& kernel) {
  std::string text = op + (label.empty() ? "" : " " + label) + ":";
  const char* separator = " ";
  for (const Stage& stage : kernel.stages()) {
    const bool serial = stage.chunks < 2 || stage.cost < kSerialCost;
    text += separator + std::to_string(stage.chunks) + (serial ? " serial" : " chunks");
    separator = " + ";
  }
  return text;
}

// Nodes that are computed within an optimizer's.
std::vector<bool> absorbed_nodes(const adx_graph& graph) {
  std::vector<bool> absorbed(static_cast<size_t>(graph.num_nodes), false);
  for (int32_t i = 0; i < graph.num_nodes; ++i) {
    if (!is_optimizer(element(graph.nodes, i).op)) continue;
    for (const AbsorbedGradient& gradient : absorbed_gradients(Node(graph, i))) {
      absorbed[static_cast<size_t>(gradient.node)] = true;
    }
  }
  return absorbed;
}

}  // namespace

void CheckFailure::report(int64_t index, double value) {
  while (lock_.test_and_set(std::memory_order_acquire)) {
  }
  if (!failed_.load(std::memory_order_relaxed) || index < index_) {
    index_ = index;
    value_ = value;
    failed_.store(true, std::memory_order_relaxed);
  }
  lock_.clear(std::memory_order_release);
}

void CheckFailure::clear() { failed_.store(false, std::memory_order_relaxed); }

Program::Program(const adx_graph& graph, const adx_host& host)
    : host_(host), arena_bytes_(graph.arena_bytes) {
  sources_.resize(static_cast<size_t>(graph.num_tensors));
  addresses_.resize(static_cast<size_t>(graph.num_tensors));
  for (int32_t i = 0; i < graph.num_tensors; ++i) {
    const adx_tensor& tensor = element(graph.tensors, i);
    Source& source = sources_[static_cast<size_t>(i)];
    source = {tensor.storage, tensor.binding, tensor.offset, nullptr};
    if (tensor.storage == ADX_STORAGE_CONSTANT) {
      const Shape shape(std::span(tensor.dims, static_cast<size_t>(tensor.rank)));
      const TensorType type{static_cast<DType>(tensor.dtype), shape};
      keep_constant(tensor, type.bytes(), source);
    }
  }
  size_t workspace_bytes = 0;
  const std::vector<bool> absorbed = absorbed_nodes(graph);
  for (int32_t i = 0; i < graph.num_nodes; ++i) {
    if (absorbed[static_cast<size_t>(i)]) continue;
    add_step(graph, i);
    if (!steps_.empty()) {
      workspace_bytes = std::max(workspace_bytes, steps_.back().kernel->workspace_bytes());
    }
  }
  workspace_ = AlignedMemory(workspace_bytes);
}

void Program::keep_constant(const adx_tensor& tensor, uint64_t bytes, Source& source) {
  constants_.emplace_back(bytes);
  if (bytes > 0) std::memcpy(constants_.back().data(), tensor.data, bytes);
  source.constant = constants_.back().data();
}

void Program::add_step(const adx_graph& graph, int32_t index) {
  const Node node(graph, index);
  const KernelEntry* entry = find_kernel(node);
  if (entry == nullptr) {
    throw UnsupportedError(
        node.message("the CPU device has no kernel for (" + types_of(node.inputs()) + ")"));
  }
  Step step;
  step.kernel = entry->make(node);
  if (step.kernel == nullptr) return;
  step.node = index;
  step.op = node.op();
  step.label = node.label();
  step.flops = node.flops() + step.kernel->absorbed_flops();
  if (step.kernel->absorbed_flops() > 0) step.op += "+gradients";
  step.bytes = step.kernel->bytes();
  if (step.bytes < 0) step.bytes = bytes_of(node);
  host_.log(ADX_LOG_DEBUG, describe(step.op, step.label, *step.kernel).c_str());
  steps_.push_back(std::move(step));
}

void Program::resolve(const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings) {
  std::byte* arena_base = nullptr;
  if (arena != nullptr && arena->buffer != nullptr) {
    arena_base = arena->buffer->data + arena->offset;
  }
  if (arena_base == nullptr && arena_bytes_ > 0) {
    throw InvalidArgumentError("[cpu] the program needs an arena of " +
                               std::to_string(arena_bytes_) + " bytes and was given none");
  }
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    if (source.storage == ADX_STORAGE_CONSTANT) {
      addresses_[i] = const_cast<void*>(source.constant);
    } else if (source.storage == ADX_STORAGE_ARENA) {
      addresses_[i] = arena_base + source.offset;
    } else {
      if (source.binding < 0 || source.binding >= num_bindings) {
        throw InvalidArgumentError("[cpu] tensor " + std::to_string(i) + " lies in binding " +
                                   std::to_string(source.binding) + " of " +
                                   std::to_string(num_bindings));
      }
      const adx_binding& binding = element(bindings, source.binding);
      addresses_[i] = binding.buffer->data + binding.offset + source.offset;
    }
  }
}

void Program::run_kernel(const Kernel& kernel, RunContext& context) {
  const std::vector<Stage>& stages = kernel.stages();
  for (size_t stage = 0; stage < stages.size(); ++stage) {
    Region region{&kernel, &context, stage};
    const int64_t chunks = stages[stage].chunks;
    if (chunks < 2 || stages[stage].cost < kSerialCost) {
      for (int64_t chunk = 0; chunk < chunks; ++chunk) run_chunk(&region, chunk);
    } else {
      host_.parallel_for(chunks, run_chunk, &region);
    }
    if (region.out_of_memory) {
      throw OutOfMemoryError("[cpu] no scratch memory for a kernel; use a smaller batch");
    }
  }
}

bool Program::run_step(bool traced, RunContext& context, int32_t* failed_node) {
  for (const Step& step : steps_) {
    const uint64_t begin = traced ? now_ns() : 0;
    run_kernel(*step.kernel, context);
    if (traced) {
      host_.trace_span(step.op.c_str(), step.label.c_str(), begin, now_ns(), step.flops,
                       step.bytes);
    }
    if (failure_.failed()) {
      *failed_node = step.node;
      return false;
    }
  }
  return true;
}

void Program::raise_failure(int32_t node) const {
  throw OutOfRangeError("[cpu] the value check of node " + std::to_string(node) +
                        " failed at element " + std::to_string(failure_.index()));
}

void Program::run(const adx_binding* arena, const adx_binding* bindings, int32_t num_bindings,
                  uint64_t n_steps, adx_control* control) {
  const FlushDenormals flush;
  resolve(arena, bindings, num_bindings);
  failure_.clear();
  RunContext context{addresses_.data(), workspace_.data(), &failure_};
  const bool traced = host_.trace_enabled != nullptr && host_.trace_enabled() != 0;
  for (uint64_t i = 0; i < n_steps && !stop_requested(control); ++i) {
    int32_t failed_node = -1;
    if (!run_step(traced, context, &failed_node)) {
      if (control == nullptr) raise_failure(failed_node);
      control->failed_node = failed_node;
      control->failed_index = failure_.index();
      control->failed_value = failure_.value();
      return;
    }
    if (control != nullptr) {
      std::atomic_ref<uint64_t>(control->steps_done).fetch_add(1, std::memory_order_release);
    }
  }
}

}  // namespace addax::cpu

struct adx_program : addax::cpu::Program {
  using Program::Program;
};

namespace addax::cpu {

void device_supports(adx_device*, const adx_graph* graph, uint8_t* mask, adx_status* status) {
  guarded(status, [&] {
    for (int32_t i = 0; i < graph->num_nodes; ++i) {
      mask[i] = find_kernel(Node(*graph, i)) != nullptr ? 1 : 0;
    }
  });
}

adx_program* device_compile(adx_device*, const adx_graph* graph, adx_status* status) {
  return guarded(status, [&]() -> adx_program* {
    return std::make_unique<adx_program>(*graph, plugin_host()).release();
  });
}

void device_program_destroy(adx_device*, adx_program* program) {
  const std::unique_ptr<adx_program> end(program);
}

void device_run(adx_device*, adx_queue*, adx_program* program, const adx_binding* arena,
                const adx_binding* bindings, int32_t num_bindings, uint64_t n_steps,
                adx_control* control, adx_status* status) {
  guarded(status, [&] { program->run(arena, bindings, num_bindings, n_steps, control); });
}

}  // namespace addax::cpu
