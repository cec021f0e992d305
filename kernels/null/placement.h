#pragma once

#include "addax/device.h"

namespace addax::null_device {

// Checks where the tensors of a graph lie: inside the arena or an existing binding, aligned, never
// read before they are written, never overwritten before they are read for the last time. Throws
// Problem.
void check_placement(const adx_graph& graph, uint64_t alignment);

}  // namespace addax::null_device
