#include "cpu/runtime/program.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <memory>
#include <span>

#include "core/error.h"
#include "cpu/lowering/kernel_table.h"
#include "cpu/runtime/denormals.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

// A stage of a kernel, of which `chunks` of the stage's chunks are one of the region's.
struct Part {
  const Kernel* kernel;
  RunContext context;
  size_t stage;
  int64_t chunks = 1;
};

// What runs in one go on all threads: the chunks of a stage, or in each chunk several of one stage
// and then the same share of the next.
struct Region {
  ScratchLease& scratch;
  std::array<Part, 2> parts;
  size_t num_parts = 1;
  Joint joint = {};
  std::atomic<bool> has_failed = false;
  std::exception_ptr error = nullptr;  // the first
};

LocalTensor local_tensor(const Joint& joint, int64_t chunk) {
  if (joint.local_tensor < 0) return {};
  const auto bytes = static_cast<size_t>(joint.local_bytes);
  auto* images = static_cast<std::byte*>(thread_scratch_bytes(Scratch::Images, bytes));
  return {joint.local_tensor, images - chunk * joint.local_bytes};
}

void run_chunk(void* context, int64_t chunk) {
  auto& region = *static_cast<Region*>(context);
  try {
    const ScratchLease::Use scratch(region.scratch);
    const LocalTensor local = local_tensor(region.joint, chunk);
    for (const Part& part : std::span(region.parts).first(region.num_parts)) {
      RunContext of_chunk = part.context;
      of_chunk.local = local;
      for (int64_t i = 0; i < part.chunks; ++i) {
        part.kernel->run(of_chunk, part.stage, chunk * part.chunks + i);
      }
    }
  } catch (...) {
    if (!region.has_failed.exchange(true)) region.error = std::current_exception();
  }
}

void run_region(const adx_host& host, Region& region, int64_t chunks, double cost) {
  if (chunks < 2 || cost < kSerialCost) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) run_chunk(&region, chunk);
  } else {
    host.parallel_for(chunks, run_chunk, &region);
  }
  if (region.error) std::rethrow_exception(region.error);
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

// "matmul dense_1: 16 chunks + 1 serial".
std::string describe(const Title& title, const Kernel& kernel) {
  std::string text = title.op + (title.label.empty() ? "" : " " + title.label) + ":";
  const char* separator = " ";
  for (const Stage& stage : kernel.stages()) {
    const bool serial = stage.chunks < 2 || stage.cost < kSerialCost;
    text += separator + std::to_string(stage.chunks) + (serial ? " serial" : " chunks");
    separator = " + ";
  }
  return text;
}

}  // namespace

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
  add_steps(graph);
  join_steps(graph);
  // Its memory remains for the runs' leases.
  const ScratchLease reserve(scratch_, num_threads());
}

void Program::join_steps(const adx_graph& graph) {
  size_t workspace_bytes = 0;
  for (size_t i = 0; i < steps_.size(); ++i) {
    Step& step = steps_[i];
    scratch_.add(step.kernel->scratch());
    const size_t end = step.workspace + aligned(step.kernel->workspace_bytes());
    workspace_bytes = std::max(workspace_bytes, end);
    if (i + 1 == steps_.size()) break;
    const bool only_stage_taken =
        i > 0 && steps_[i - 1].joint.chunks > 0 && step.kernel->stages().size() == 1;
    if (only_stage_taken) continue;
    Step& next = steps_[i + 1];
    step.joint = join(*step.kernel, Node(graph, step.node), *next.kernel, Node(graph, next.node));
    if (step.joint.chunks == 0) continue;
    scratch_.add(Scratch::Images, step.joint.local_bytes);
    next.workspace = end;
    next.title = joint_title(step.title, next.title);
    next.flops += step.flops;
    const double local_bytes = static_cast<double>(step.joint.chunks * step.joint.local_bytes);
    next.bytes += step.bytes - 2 * local_bytes;
  }
  workspace_ = AlignedMemory(workspace_bytes);
}

void Program::keep_constant(const adx_tensor& tensor, uint64_t bytes, Source& source) {
  constants_.emplace_back(bytes);
  if (bytes > 0) std::memcpy(constants_.back().data(), tensor.data, bytes);
  source.constant = constants_.back().data();
}

// Backwards, since a kernel may absorb nodes before its own.
void Program::add_steps(const adx_graph& graph) {
  std::vector<bool> absorbed(static_cast<size_t>(graph.num_nodes));
  for (int32_t i = graph.num_nodes - 1; i >= 0; --i) {
    if (absorbed[static_cast<size_t>(i)]) continue;
    std::optional<Step> step = make_step(Node(graph, i));
    if (!step) continue;
    for (int32_t node : step->kernel->absorbed()) absorbed[static_cast<size_t>(node)] = true;
    steps_.push_back(std::move(*step));
  }
  std::reverse(steps_.begin(), steps_.end());
  for (const Step& step : steps_) {
    host_.log(ADX_LOG_DEBUG, describe(step.title, *step.kernel).c_str());
  }
}

std::optional<Program::Step> Program::make_step(const Node& node) {
  const KernelEntry* entry = find_kernel(node);
  if (entry == nullptr) {
    throw UnsupportedError(
        node.message("the CPU device has no kernel for (" + types_of(node.inputs()) + ")"));
  }
  Step step;
  step.kernel = entry->make(node);
  if (step.kernel == nullptr) return std::nullopt;
  step.node = node.index();
  step.title = step.kernel->title().value_or(title_of(node));
  step.flops = node.flops();
  for (int32_t absorbed : step.kernel->absorbed()) {
    step.flops += element(node.graph().nodes, absorbed).flops;
  }
  step.bytes = step.kernel->bytes();
  if (step.bytes < 0) step.bytes = node.bytes();
  return step;
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

RunContext Program::context_of(const Step& step) {
  return {addresses_.data(), workspace_.data() + step.workspace, &failure_};
}

void Program::run_stages(ScratchLease& scratch, size_t number) {
  const Step& step = steps_[number];
  const bool begun = number > 0 && steps_[number - 1].joint.chunks > 0;
  const std::vector<Stage>& stages = step.kernel->stages();
  for (size_t i = begun ? 1 : 0; i < stages.size(); ++i) {
    Region region{.scratch = scratch, .parts = {Part{step.kernel.get(), context_of(step), i}}};
    const bool joint = step.joint.chunks > 0 && i + 1 == stages.size();
    if (!joint) {
      run_region(host_, region, stages[i].chunks, stages[i].cost);
      continue;
    }
    const Step& next = steps_[number + 1];
    const Stage& follower = next.kernel->stages().front();
    region.parts[0].chunks = stages[i].chunks / step.joint.chunks;
    region.parts[1] = {next.kernel.get(), context_of(next), 0, follower.chunks / step.joint.chunks};
    region.num_parts = 2;
    region.joint = step.joint;
    run_region(host_, region, step.joint.chunks, stages[i].cost + follower.cost);
  }
}

bool Program::run_step(ScratchLease& scratch, bool traced, int32_t* failed_node) {
  uint64_t begin = 0;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    const bool begun = i > 0 && steps_[i - 1].joint.chunks > 0;
    if (traced && !begun) begin = now_ns();
    run_stages(scratch, i);
    if (traced && step.joint.chunks == 0) {
      host_.trace_span(step.title.op.c_str(), step.title.label.c_str(), begin, now_ns(), step.flops,
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

void Program::run(adx_queue&, const adx_binding* arena, const adx_binding* bindings,
                  int32_t num_bindings, uint64_t n_steps, adx_control* control) {
  const FlushDenormals flush;
  resolve(arena, bindings, num_bindings);
  ScratchLease scratch(scratch_, num_threads());
  failure_.clear();
  const bool traced = host_.trace_enabled != nullptr && host_.trace_enabled() != 0;
  for (uint64_t i = 0; i < n_steps && !stop_requested(control); ++i) {
    int32_t failed_node = -1;
    if (!run_step(scratch, traced, &failed_node)) {
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
