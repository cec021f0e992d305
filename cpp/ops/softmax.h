#pragma once

#include "ops/emitter.h"

namespace addax {

// The pieces that softmax and the losses on logits share; emitted alike everywhere, so that equal
// ones are found and computed once.
struct SoftmaxParts {
  Value shifted;       // x minus its maximum along the axis
  Value exponentials;  // exp(shifted)
  Value total;         // their sum along the axis, kept with extent 1
};

// `x` is float32 or float64.
SoftmaxParts softmax_parts(Emitter& emit, Value x, int64_t axis);

// shifted - log(total)
Value log_softmax_of(Emitter& emit, const SoftmaxParts& parts);

}  // namespace addax
