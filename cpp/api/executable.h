#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/rehearsal.h"
#include "api/tensor.h"
#include "api/variable.h"
#include "runtime/program.h"

namespace addax {

// A compiled graph bound to the variables that it reads and updates.
//
// Threads: may be run by several threads; runs that update a variable wait for each other.
class Executable {
 public:
  // `source` is the graph that the program was compiled from.
  Executable(Graph source, std::shared_ptr<Program> program, Device& device,
             std::vector<std::shared_ptr<Variable>> variables, std::vector<bool> written);

  // Called about every `interval` seconds with the steps done so far, on the thread that called
  // run_steps; returning false stops after the current step, and so does throwing.
  using Progress = std::function<bool(uint64_t steps_done)>;

  // Inputs must have exactly the types of the graph's inputs; those on another device are copied.
  std::vector<Tensor> run(std::span<const Tensor> inputs);

  // Runs up to n_steps steps on the same inputs and returns the outputs of the last. `steps_done`,
  // if not null, receives how many were completed. When stopped before the first one is through,
  // the outputs are empty.
  std::vector<Tensor> run_steps(std::span<const Tensor> inputs, uint64_t n_steps,
                                const Progress& progress, double interval,
                                uint64_t* steps_done = nullptr);

  // The same step on any device, on copies. Throws what compiling and allocating there throws.
  std::unique_ptr<Rehearsal> rehearse(std::span<const Tensor> inputs, Device& device) const;

  // The same step on any device, with other variables there in the place of its own. Throws
  // InvalidArgumentError unless each is of its counterpart's type and lies there, and what
  // compiling throws.
  std::unique_ptr<Executable> rebind(std::vector<std::shared_ptr<Variable>> variables,
                                     Device& device) const;

  // The same step, drawn from another number of samples: of the first `drawn` inputs, which have an
  // element for each along their first axis. Sooner to be had than the step compiled anew. Null
  // where the step does more with those than to draw from them.
  std::unique_ptr<Executable> with_samples(size_t drawn, int64_t samples) const;

  const Program& program() const { return *program_; }
  const Graph& source() const { return source_; }
  const Graph& graph() const;  // optimized
  Device& device() const { return device_; }
  const std::vector<std::shared_ptr<Variable>>& variables() const { return variables_; }

 private:
  std::vector<Buffer> input_buffers(std::span<const Tensor> inputs, Device& device) const;
  std::vector<Buffer> output_buffers(Device& device) const;
  std::shared_ptr<Program> program_for(Device& device) const;
  std::vector<bool> written() const;
  // Requires the locks.
  std::vector<Buffer> state_buffers() const;

  Graph source_;
  std::shared_ptr<Program> program_;
  Device& device_;
  std::vector<std::shared_ptr<Variable>> variables_;
  std::vector<VariableLocks::Request> requests_;
};

}  // namespace addax
