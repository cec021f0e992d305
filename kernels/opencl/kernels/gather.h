#pragma once

#include "opencl/lowering/lowering.h"

namespace addax::opencl {

// The run stops at this node when an element of the integers `x` is outside [low, high).
void add_check(Lowering& to, const Tensor& x, int64_t low, int64_t high);

}  // namespace addax::opencl
