#pragma once

#include <cstdint>

#include "addax/device.hpp"
#include "opencl/device.h"

namespace addax::opencl {

// With ADDAX_OPENCL_TUNE=1: measures tiles for the node's contraction, if it is one that none was
// measured for yet, and keeps the fastest in the device's cache of tiles.
void tune(Device& device, const adx_host& host, const plugin::Node& node, int32_t index);

}  // namespace addax::opencl
