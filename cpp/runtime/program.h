#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "device/device.h"
#include "graph/graph.h"
#include "runtime/step_control.h"

namespace addax {

// A graph compiled for a device. Thread-safe; runs of one program follow one another.
class Program {
 public:
  // Optimizes the graph for the device, plans its memory and has the device compile it. Nodes that
  // the device refuses and that have no decomposition are computed by the host's device
  // (placed_program.h), of which a warning tells (fallback_report.h); with ADDAX_STRICT=1, or where
  // there is no such device, they raise UnsupportedError. Throws what the device reports.
  static std::shared_ptr<Program> compile(Graph graph, Device& device);
  // The same for a graph that is optimized for the device.
  static std::shared_ptr<Program> compile_optimized(Graph graph, Device& device);
  virtual ~Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Runs the graph n_steps times and returns how many steps were done (fewer only after a request
  // to stop). Buffers stand in the graph's order, are of this device and hold at least their
  // value's bytes (InvalidArgumentError otherwise); states are updated in place, and outputs hold
  // the last step's values. The same buffer must not be bound twice if the program writes it.
  // Throws ValueCheckError (value_check.h) when a label or index is out of range: the states are
  // those after the last good step, but for updates that stand before the check. Throws
  // OutOfMemoryError when the arena cannot be had. The program stays usable after either. What the
  // device throws after that is a FailedRunError (failed_run.h).
  uint64_t run(std::span<const Buffer> inputs, std::span<const Buffer> states,
               std::span<const Buffer> outputs, uint64_t n_steps = 1,
               StepControl* control = nullptr);

  // As optimized: the nodes that run (and constants and reshapes, which do not).
  const Graph& graph() const { return *graph_; }
  // Where the buffers are.
  Device& device() const { return device_; }
  // Scratch memory that a run borrows from the device.
  virtual uint64_t arena_bytes() const = 0;
  // Nodes that are executed in a step.
  virtual int32_t num_nodes() const = 0;
  // The core's count of floating-point operations of one step.
  virtual double flops() const = 0;

 protected:
  Program(std::unique_ptr<const Graph> graph, Device& device);

 private:
  // Runs on buffers that fit, one call at a time.
  virtual uint64_t run_bound(std::span<const adx_binding> bindings, uint64_t n_steps,
                             StepControl& control) = 0;

  void bind(size_t first, std::span<const Buffer> buffers, size_t expected, const char* what);
  [[noreturn]] void raise_binding(size_t number, const Buffer& buffer) const;

  const std::unique_ptr<const Graph> graph_;
  Device& device_;
  std::vector<uint64_t> binding_bytes_;

  std::mutex mutex_;  // held while the program runs
  std::vector<adx_binding> bindings_;
};

}  // namespace addax
