#include "api/rehearsal.h"

#include <chrono>

namespace addax {

Rehearsal::Rehearsal(std::shared_ptr<Program> program, std::vector<Buffer> inputs,
                     std::vector<Tensor> states, std::vector<Buffer> outputs)
    : program_(std::move(program)),
      states_(std::move(states)),
      bindings_{.inputs = std::move(inputs), .states = {}, .outputs = std::move(outputs)} {
  bindings_.states.reserve(states_.size());
  for (const Tensor& state : states_) {
    bindings_.states.push_back(program_->device().alloc(state.type().bytes()));
  }
}

double Rehearsal::run(uint64_t n_steps) {
  for (size_t i = 0; i < states_.size(); ++i) {
    const uint64_t bytes = states_[i].type().bytes();
    if (bytes > 0) copy(states_[i].buffer(), 0, bindings_.states[i], 0, bytes);
  }
  const auto begin = std::chrono::steady_clock::now();
  program_->run(bindings_.inputs, bindings_.states, bindings_.outputs, n_steps);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace addax
