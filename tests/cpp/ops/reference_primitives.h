#pragma once

#include <functional>

#include "reference_emitter.h"

namespace addax::test {

struct PrimitiveCall {
  const OpDef& op;
  const Attrs& attrs;
  std::vector<Array> inputs;
  std::vector<TensorType> outputs;
};

// Evaluates a primitive op; false when there is no rule for it.
bool evaluate_primitive(const PrimitiveCall& call, std::vector<std::vector<double>>& results);

}  // namespace addax::test
