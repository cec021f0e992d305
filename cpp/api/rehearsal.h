#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "api/tensor.h"
#include "runtime/program.h"
#include "runtime/step_loop.h"

namespace addax {

// Steps of a program on copies of its states: to learn how long they take on a device while all
// that the program would update stays as it is. For one thread.
class Rehearsal {
 public:
  // Buffers are of the program's device, `states` may lie anywhere.
  Rehearsal(std::shared_ptr<Program> program, std::vector<Buffer> inputs,
            std::vector<Tensor> states, std::vector<Buffer> outputs);

  // The seconds that so many steps take. Each call begins from the same states. Throws as
  // Program::run does.
  double run(uint64_t n_steps);

 private:
  std::shared_ptr<Program> program_;
  std::vector<Tensor> states_;  // what each run begins from
  Bindings bindings_;
};

}  // namespace addax
