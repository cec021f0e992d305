#pragma once

#include <optional>
#include <span>

#include "ops/op_def.h"

namespace addax {

// The result of an elementwise op (casts included) on constants that broadcast to `type.shape`, as
// a device computes it: each operation rounded to the compute class of the operands, the result
// converted to `type.dtype`. Nothing where the outcome is not defined: an integer division by zero,
// a negative integer power, a floating number beyond the range of the integer it becomes.
std::optional<Literal> evaluate_elementwise(const OpDef& op, const Attrs& attrs,
                                            std::span<const Literal* const> inputs,
                                            const TensorType& type);

}  // namespace addax
