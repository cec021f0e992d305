#include "runtime/program.h"

#include "core/env.h"
#include "core/error.h"
#include "device/registry.h"
#include "passes/pipeline.h"
#include "passes/place.h"
#include "runtime/arena_pool.h"
#include "runtime/compiled_graph.h"
#include "runtime/failed_run.h"
#include "runtime/host_services.h"
#include "runtime/placed_program.h"

namespace addax {
namespace {

std::vector<std::string> binding_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Value input : graph.inputs()) {
    names.push_back("input '" + graph.info(input).name + "'");
  }
  for (const State& state : graph.states()) {
    names.push_back("state '" + graph.info(state.value).name + "'");
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    names.push_back("output " + std::to_string(i));
  }
  return names;
}

// All nodes on one device.
class WholeProgram final : public Program {
 public:
  WholeProgram(std::unique_ptr<const Graph> graph, Device& device)
      : Program(std::move(graph), device),
        pool_(ArenaPool::of(device)),
        compiled_(Program::graph(), device) {}

  uint64_t arena_bytes() const override { return compiled_.arena_bytes(); }
  int32_t num_nodes() const override { return compiled_.num_nodes(); }
  double flops() const override { return compiled_.flops(); }

 private:
  uint64_t run_bound(std::span<const adx_binding> bindings, uint64_t n_steps,
                     StepControl& control) override {
    const ArenaPool::Lease lease = pool_.borrow(compiled_.arena_bytes());
    return as_failed_run(control, [&] {
      const CompiledGraph::Ending ending =
          compiled_.start(lease.queue(), lease.arena(), bindings, n_steps, control);
      lease.queue().synchronize();
      return compiled_.settle(control, ending, n_steps);
    });
  }

  ArenaPool& pool_;
  const CompiledGraph compiled_;
};

[[noreturn]] void raise_refused(const Graph& graph, NodeId id, const Device& device) {
  const Node& node = graph.nodes()[static_cast<size_t>(id)];
  throw UnsupportedError(
      "[" + node.op->name + "] " + device.name() + " has no kernel for " +
      describe_types(graph, node) + describe_label(node) +
      ", and the op has no decomposition; use another dtype or another device" +
      (env::get_flag("ADDAX_STRICT") ? ", or unset ADDAX_STRICT to have the CPU compute it" : ""));
}

}  // namespace

std::shared_ptr<Program> Program::compile(Graph graph, Device& device) {
  start_runtime();
  optimize(graph, pass_target(device));
  return compile_optimized(std::move(graph), device);
}

std::shared_ptr<Program> Program::compile_optimized(Graph graph, Device& device) {
  const std::vector<NodeId> refused = refused_nodes(graph, pass_target(device));
  auto kept = std::make_unique<const Graph>(std::move(graph));
  if (refused.empty()) return std::make_shared<WholeProgram>(std::move(kept), device);
  Device* const host = DeviceRegistry::instance().host_device();
  if (env::get_flag("ADDAX_STRICT") || host == nullptr || host == &device) {
    raise_refused(*kept, refused.front(), device);
  }
  return make_placed_program(std::move(kept), refused, device, *host);
}

Program::Program(std::unique_ptr<const Graph> graph, Device& device)
    : graph_(std::move(graph)), device_(device) {
  const auto add = [&](Value value) {
    bindings_.push_back({sizeof(adx_binding), nullptr, 0});
    binding_bytes_.push_back(graph_->type(value).bytes());
  };
  for (const Value input : graph_->inputs()) add(input);
  for (const State& state : graph_->states()) add(state.value);
  for (const Value output : graph_->outputs()) add(output);
}

void Program::bind(size_t first, std::span<const Buffer> buffers, size_t expected,
                   const char* what) {
  if (buffers.size() != expected) {
    throw InvalidArgumentError("[" + graph_->name() + "] expected " + std::to_string(expected) +
                               " " + what + ", got " + std::to_string(buffers.size()));
  }
  for (size_t i = 0; i < expected; ++i) {
    const Buffer& buffer = buffers[i];
    if (!buffer || &buffer.device() != &device_ || buffer.bytes() < binding_bytes_[first + i]) {
      raise_binding(first + i, buffer);
    }
    bindings_[first + i].buffer = buffer.handle();
  }
}

void Program::raise_binding(size_t number, const Buffer& buffer) const {
  std::string text = "[" + graph_->name() + "] " + binding_names(*graph_)[number] + " needs " +
                     std::to_string(binding_bytes_[number]) + " bytes on " + device_.name() +
                     ", got ";
  if (!buffer) {
    text += "an empty buffer";
  } else {
    text += std::to_string(buffer.bytes()) + " bytes on " + buffer.device().name();
  }
  throw InvalidArgumentError(text);
}

uint64_t Program::run(std::span<const Buffer> inputs, std::span<const Buffer> states,
                      std::span<const Buffer> outputs, uint64_t n_steps, StepControl* control) {
  const size_t num_inputs = graph_->inputs().size();
  const size_t num_states = graph_->states().size();
  const std::lock_guard lock(mutex_);
  bind(0, inputs, num_inputs, "inputs");
  bind(num_inputs, states, num_states, "states");
  bind(num_inputs + num_states, outputs, graph_->outputs().size(), "outputs");
  StepControl own_control;
  return run_bound(bindings_, n_steps, control == nullptr ? own_control : *control);
}

}  // namespace addax
