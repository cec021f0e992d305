#include "runtime/step_loop.h"

#include "core/error.h"

namespace addax {

StepLoop::~StepLoop() {
  request_stop();
  if (thread_.joinable()) thread_.join();
}

void StepLoop::start(std::shared_ptr<Program> program, Bindings bindings, uint64_t n_steps) {
  if (thread_.joinable()) throw InternalError("[step_loop] a run is in progress already");
  control_.reset();
  error_ = nullptr;
  running_ = true;
  thread_ =
      std::thread([this, program = std::move(program), bindings = std::move(bindings), n_steps] {
        std::exception_ptr error;
        try {
          program->run(bindings.inputs, bindings.states, bindings.outputs, n_steps, &control_);
        } catch (...) {
          error = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        error_ = error;
        running_ = false;
        ended_.notify_all();
      });
}

bool StepLoop::wait_for(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, timeout, [this] { return !running_; });
}

uint64_t StepLoop::finish() {
  if (thread_.joinable()) thread_.join();
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return steps_done();
}

}  // namespace addax
