#pragma once

#include <atomic>
#include <cstdint>

#include "addax/device.h"

namespace addax {

// What a running program and other threads share: progress one way, a request to stop the other.
class StepControl {
 public:
  StepControl();
  StepControl(const StepControl&) = delete;
  StepControl& operator=(const StepControl&) = delete;

  // Ends the run after the step in progress.
  void request_stop();
  bool stop_requested() const;
  // Steps finished by the present or last run.
  uint64_t steps_done() const;

  // One more step is finished.
  void count_step();

  // Before a run: no steps done, no failed check. `begin` keeps a request to stop, `reset` not.
  void begin();
  void reset();
  adx_control* raw() { return &control_; }
  const adx_control& state() const { return control_; }  // not while a program runs

 private:
  mutable adx_control control_;  // atomic_ref reads through references to non-const only
};

}  // namespace addax
