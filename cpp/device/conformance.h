#pragma once

#include <string>
#include <vector>

#include "device/device.h"

namespace addax {

struct CheckResult {
  std::string check;
  std::string failure;  // empty: passed
};

// Tries what the ABI promises of a device's memory, copies, queues and events. A check that fails
// does not keep the others from running.
std::vector<CheckResult> check_device(Device& device);

}  // namespace addax
