#include "ops/widened_call.h"

#include <vector>

#include "ops/compute_class.h"
#include "ops/emitter.h"

namespace addax {

bool is_half(DType dtype) { return is_floating(dtype) && compute_class(dtype) != dtype; }

Value widened_call(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  std::vector<Value> wide;
  for (Value x : call.inputs) wide.push_back(emit.cast(emit.cast(x, dtype), compute_class(dtype)));
  return emit.call_all(call.op.name, wide, call.attrs)[0];
}

}  // namespace addax
