#pragma once

#include "ops/op_def.h"

namespace addax {

// Whether `dtype` is a floating type of 16 bits.
bool is_half(DType dtype);

// Decomposes an op on 16-bit tensors to the same op on what they are in float32; the caller casts
// its result. Inputs that are wider than the first lose first what they have beyond its precision.
Value widened_call(const DecomposeCall& call);

}  // namespace addax
