#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "device/device.h"
#include "graph/graph.h"
#include "runtime/step_control.h"

namespace addax {

// A graph compiled for a device. Thread-safe; runs of one program follow one another.
class Program {
 public:
  // Optimizes the graph for the device, plans its memory and has the device compile it. Throws
  // UnsupportedError for a node that the device refuses and that has no decomposition, and what the
  // device reports.
  static std::shared_ptr<Program> compile(Graph graph, Device& device);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Runs the graph n_steps times and returns how many steps were done (fewer only after a request
  // to stop). Buffers stand in the graph's order, are of this device and hold at least their
  // value's bytes (InvalidArgumentError otherwise); states are updated in place, and outputs hold
  // the last step's values. The same buffer must not be bound twice if the program writes it.
  // Throws ValueCheckError (value_check.h) when a label or index is out of range: the states are
  // those after the last good step, but for updates that stand before the check. Throws
  // OutOfMemoryError when the arena cannot be had. The program stays usable after either.
  uint64_t run(std::span<const Buffer> inputs, std::span<const Buffer> states,
               std::span<const Buffer> outputs, uint64_t n_steps = 1,
               StepControl* control = nullptr);

  // As optimized: the nodes that run (and constants and reshapes, which do not).
  const Graph& graph() const;
  Device& device() const;
  // Scratch memory that a run borrows from the device.
  uint64_t arena_bytes() const;
  // Nodes that the device executes in a step.
  int32_t num_nodes() const;
  // The core's count of floating-point operations of one step.
  double flops() const;

 private:
  struct Parts;

 public:
  // For `compile`, which alone can make parts.
  explicit Program(std::unique_ptr<Parts> parts);

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace addax
