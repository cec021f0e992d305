#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/program.h"

namespace addax {

// What a program runs on.
struct Bindings {
  std::vector<Buffer> inputs;
  std::vector<Buffer> states;
  std::vector<Buffer> outputs;
};

// Runs many steps on a thread of its own, so that the caller can watch progress and signals. For
// one caller thread.
class StepLoop {
 public:
  StepLoop() = default;
  // Stops after the step in progress and waits for it.
  ~StepLoop();
  StepLoop(const StepLoop&) = delete;
  StepLoop& operator=(const StepLoop&) = delete;

  // InternalError while a run is in progress.
  void start(std::shared_ptr<Program> program, Bindings bindings, uint64_t n_steps);
  uint64_t steps_done() const { return control_.steps_done(); }
  // Ends the run after the step in progress; the states keep what was done.
  void request_stop() { control_.request_stop(); }
  // Waits until the run has ended, at most `timeout`; whether it has.
  bool wait_for(std::chrono::milliseconds timeout);
  // Waits for the end, returns the steps done, and rethrows what the run threw.
  uint64_t finish();

 private:
  StepControl control_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool running_ = false;
  std::exception_ptr error_;
};

}  // namespace addax
