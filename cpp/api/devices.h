#pragma once

#include "device/registry.h"

namespace addax {

// The process's devices. The first call runs the first-use hook, so that importing the package does
// no device work; what the hook throws is thrown here, and it is tried again at the next call.
DeviceRegistry& device_registry();

// Sets what must happen before devices are first used, such as adding a built-in one. Call it
// while the process is single-threaded.
void on_first_device_use(void (*hook)());

}  // namespace addax
