#include "runtime/step_control.h"

namespace addax {

StepControl::StepControl() : control_{} {
  control_.struct_size = sizeof control_;
  control_.failed_node = -1;
}

void StepControl::request_stop() {
  std::atomic_ref(control_.stop).store(1, std::memory_order_relaxed);
}

bool StepControl::stop_requested() const {
  return std::atomic_ref(control_.stop).load(std::memory_order_relaxed) != 0;
}

uint64_t StepControl::steps_done() const {
  return std::atomic_ref(control_.steps_done).load(std::memory_order_relaxed);
}

void StepControl::count_step() {
  std::atomic_ref(control_.steps_done).fetch_add(1, std::memory_order_relaxed);
}

void StepControl::begin() {
  std::atomic_ref(control_.steps_done).store(0, std::memory_order_relaxed);
  control_.failed_node = -1;
}

void StepControl::reset() {
  begin();
  std::atomic_ref(control_.stop).store(0, std::memory_order_relaxed);
}

}  // namespace addax
