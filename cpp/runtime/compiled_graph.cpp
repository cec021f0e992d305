#include "runtime/compiled_graph.h"

#include <cmath>

#include "core/error.h"
#include "device/status.h"
#include "passes/memory_plan.h"
#include "runtime/flatten.h"
#include "runtime/program_log.h"
#include "runtime/value_check.h"

namespace addax {
namespace {

std::vector<bool> supported_nodes(const Graph& graph, Device& device) {
  std::vector<bool> supported(graph.nodes().size(), true);
  const FlatGraph flat(graph);
  std::vector<uint8_t> mask(flat.nodes().size());
  Status status;
  device.api().supports(device.handle(), &flat.get(), mask.data(), status.get());
  status.check(device.name());
  for (size_t i = 0; i < mask.size(); ++i) {
    supported[static_cast<size_t>(flat.nodes()[i])] = mask[i] != 0;
  }
  return supported;
}

}  // namespace

PassTarget pass_target(Device& device) {
  return {.supports = [&device](const Graph& graph) { return supported_nodes(graph, device); },
          .fuse = true};
}

CompiledGraph::CompiledGraph(const Graph& graph, Device& device) : graph_(graph), device_(device) {
  device.check_process();
  const MemoryPlan plan = plan_memory(graph, device.properties().alignment);
  log_program(graph, plan, device.name());
  const FlatGraph flat(graph, plan);
  Status status;
  adx_program* const program = status.made(
      device.api().compile(device.handle(), &flat.get(), status.get()), "compile", device.name());
  program_ = Handle(program, [&device](adx_program* ended) {
    device.api().program_destroy(device.handle(), ended);
  });
  node_ids_.assign(flat.nodes().begin(), flat.nodes().end());
  arena_bytes_ = plan.arena_bytes;
  for (int32_t i = 0; i < flat.get().num_nodes; ++i) flops_ += flat.get().nodes[i].flops;
}

CompiledGraph::Ending CompiledGraph::start(const QueueLease& queue, const Buffer& arena,
                                           std::span<const adx_binding> bindings, uint64_t n_steps,
                                           StepControl& control) const {
  adx_binding scratch{sizeof(adx_binding), nullptr, 0};
  if (arena_bytes_ > 0) scratch.buffer = arena.handle();
  control.begin();
  Status status;
  device_.api().run(device_.handle(), queue.get(), program_.get(), &scratch, bindings.data(),
                    static_cast<int32_t>(bindings.size()), n_steps, control.raw(), status.get());
  if (status.code() == ADX_INTERRUPTED && control.stop_requested()) return Ending::Interrupted;
  if (status.ok()) return Ending::Normal;
  try {
    queue.synchronize();
  } catch (const Error&) {
    // The run's own error says more.
  }
  status.check(device_.name());
  return Ending::Normal;
}

uint64_t CompiledGraph::settle(const StepControl& control, Ending ending, uint64_t n_steps,
                               uint64_t steps_before) const {
  const uint64_t done = control.steps_done();
  const adx_control& state = control.state();
  if (state.failed_node >= 0) {
    const auto failed = static_cast<size_t>(state.failed_node);
    if (failed >= node_ids_.size()) {
      throw DeviceError("[" + device_.name() + "] the device reported a failed check of node " +
                        std::to_string(failed) + ", which does not exist");
    }
    const Node& node = graph_.nodes()[static_cast<size_t>(node_ids_[failed])];
    // The value is an int64, whose largest a double rounds to 2^63.
    const bool can_be = checks_values(*node.op) && state.failed_index >= 0 &&
                        std::abs(state.failed_value) <= 0x1p63;
    if (!can_be) {
      throw DeviceError("[" + device_.name() + "] the device reported a failed check of [" +
                        node.op->name + "], of value " + std::to_string(state.failed_value) +
                        " at index " + std::to_string(state.failed_index) + ", which cannot be");
    }
    throw ValueCheckError(describe_failed_check(graph_, node, state.failed_index,
                                                state.failed_value, steps_before + done));
  }
  const bool may_be_fewer = control.stop_requested() || ending == Ending::Interrupted;
  if (done > n_steps || (done < n_steps && !may_be_fewer)) {
    throw DeviceError("[" + device_.name() + "] the device says that it did " +
                      std::to_string(done) + " of " + std::to_string(n_steps) + " steps");
  }
  return done;
}

}  // namespace addax
