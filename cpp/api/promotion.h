#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "core/dtype.h"
#include "ops/op_def.h"

namespace addax {

// A number of the host language. It has a kind, no width: beside a tensor it takes the tensor's
// dtype if that is of its kind or a greater one (bool < integer < floating).
using Scalar = std::variant<bool, int64_t, double>;

// The dtype of a scalar on its own: bool, int32 (int64 where it does not fit), float32.
DType default_dtype(const Scalar& scalar);

// `scalar` as a rank-0 literal; OutOfRangeError where an integer does not fit `dtype`.
Literal scalar_literal(const Scalar& scalar, DType dtype);

struct OperandType {
  DType dtype;        // of a weak operand: its default dtype
  bool weak = false;  // scalars and nested lists
};

// The dtype each operand is converted to before `op` sees it, by the op's DTypeRule.
std::vector<DType> promoted_dtypes(const OpDef& op, std::span<const OperandType> operands);

// Emits that conversion: nothing, a cast, or `x != 0` where bool is asked for.
Value convert_operand(Emitter& emit, Value x, DType dtype);

}  // namespace addax
