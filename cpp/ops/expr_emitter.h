#pragma once

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/emitter.h"
#include "ops/scalar_expr.h"

namespace addax {

// Emits a scalar expression as elementwise ops over whole tensors, one op per instruction; the
// inputs broadcast. Arithmetic happens in `compute`: inputs of other dtypes are cast to it.
// Comparisons and logic give bool tensors; the caller casts the outputs as it needs them.
std::vector<Value> emit_expr(Emitter& emit, const ScalarExpr& expr, std::span<const Value> inputs,
                             DType compute);

// The same from text with one output, in terms of named tensors and numbers:
//     emit_text(emit, "dy * (1 - y * y)", {{"y", y}, {"dy", dy}}, emit.dtype(dy))
// The result has dtype `compute`.
using NamedValues = std::initializer_list<std::pair<std::string_view, Value>>;
using NamedNumbers = std::map<std::string, double, std::less<>>;
Value emit_text(Emitter& emit, std::string_view text, NamedValues values, DType compute,
                const NamedNumbers& numbers = {});

}  // namespace addax
