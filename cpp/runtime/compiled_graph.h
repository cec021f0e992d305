#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "device/device.h"
#include "graph/graph.h"
#include "passes/pass.h"
#include "runtime/step_control.h"

namespace addax {

// What the passes ask of `device`.
PassTarget pass_target(Device& device);

// A graph as a program of one device. It is used by one thread at a time.
class CompiledGraph {
 public:
  // Plans the memory of an optimized graph, which must live as long, and has the device compile it.
  // Throws what the device reports.
  CompiledGraph(const Graph& graph, Device& device);

  const Graph& graph() const { return graph_; }
  Device& device() const { return device_; }
  uint64_t arena_bytes() const { return arena_bytes_; }
  int32_t num_nodes() const { return static_cast<int32_t>(node_ids_.size()); }
  double flops() const { return flops_; }

  // How a run was left by the device.
  enum class Ending : uint8_t { Normal, Interrupted };

  // Puts n_steps steps into the queue; `arena` is empty or holds at least arena_bytes(). Bindings
  // are the graph's inputs, states and outputs. They, `control` and the arena must stay until the
  // queue has been synchronized. After an error of the device it has been.
  Ending start(const QueueLease& queue, const Buffer& arena, std::span<const adx_binding> bindings,
               uint64_t n_steps, StepControl& control) const;

  // To be called when the queue has been synchronized: returns how many steps were done. Throws
  // ValueCheckError for a check that failed, of which `steps_before` steps went before the run, and
  // DeviceError when the device's account cannot be right.
  uint64_t settle(const StepControl& control, Ending ending, uint64_t n_steps,
                  uint64_t steps_before = 0) const;

 private:
  using Handle = std::unique_ptr<adx_program, std::function<void(adx_program*)>>;

  const Graph& graph_;
  Device& device_;
  Handle program_;
  std::vector<NodeId> node_ids_;  // of the device's nodes
  uint64_t arena_bytes_ = 0;
  double flops_ = 0;
};

}  // namespace addax
