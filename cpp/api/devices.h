#pragma once

#include <string>

#include "device/registry.h"

namespace addax {

// The process's devices. The first call runs the first-use hook, so that importing the package does
// no device work; what the hook throws is thrown here, and it is tried again at the next call.
DeviceRegistry& device_registry();

// Sets what must happen before devices are first used, such as adding a built-in one. Call it
// while the process is single-threaded.
void on_first_device_use(void (*hook)());

// Where tensors and programs go that name no device: the one set last, else that of ADDAX_DEVICE,
// else the first built-in. InvalidArgumentError when ADDAX_DEVICE names none that there is; "auto",
// which lets models choose, is the first built-in here.
Device& default_device();
void set_default_device(Device& device);

// How the name in ADDAX_DEVICE is looked up, unless the registry alone does. Called without locks;
// set it while the process is single-threaded.
void find_devices_by(Device& (*find)(const std::string& name));

}  // namespace addax
