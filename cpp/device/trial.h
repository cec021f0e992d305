#pragma once

#include "device/device.h"

namespace addax {

// Uses a device for a few bytes: allocates, fills, copies there and back. Throws what fails, and
// DeviceError where the bytes come back changed.
void try_device(Device& device);

}  // namespace addax
