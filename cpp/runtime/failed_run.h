#pragma once

#include <cstdint>

#include "core/error.h"
#include "runtime/step_control.h"

namespace addax {

// Beside its kind, what an error of a device is that struck while a program ran: what the program
// updates may be half done. An error that is not is from before the first step.
struct FailedRun {
  uint64_t step = 0;  // steps that the run had finished before
};

template <class Kind>
class FailedRunError : public Kind, public FailedRun {
 public:
  FailedRunError(const Kind& error, uint64_t step) : Kind(error), FailedRun{step} {}
};

// Runs steps; an error of the device is thrown as a FailedRunError.
template <class Body>
auto as_failed_run(const StepControl& control, const Body& body) {
  try {
    return body();
  } catch (const DeviceError& error) {
    throw FailedRunError<DeviceError>(error, control.steps_done());
  } catch (const OutOfMemoryError& error) {
    throw FailedRunError<OutOfMemoryError>(error, control.steps_done());
  }
}

}  // namespace addax
