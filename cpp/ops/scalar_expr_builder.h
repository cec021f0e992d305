#pragma once

#include <array>
#include <map>
#include <span>
#include <tuple>
#include <vector>

#include "ops/scalar_expr.h"

namespace addax {

// Puts scalar expressions together: parsing and fusion both do. Equal operations are shared and
// operations on constants folded as they are added; a `where` with a constant condition is its
// branch.
class ScalarExprBuilder {
 public:
  explicit ScalarExprBuilder(int32_t num_inputs);

  // Each returns the index that names the value in later calls.
  int32_t input(int32_t which) const { return which; }
  int32_t constant(double value);
  int32_t apply(ScalarOp op, int32_t a, int32_t b = -1, int32_t c = -1);

  // Inlines `expr` with the given values as its inputs; returns its outputs.
  std::vector<int32_t> append(const ScalarExpr& expr, std::span<const int32_t> inputs);

  // The expression with these outputs in canonical order: inputs, then what the first output needs,
  // operands before users, and so on. What no output needs is dropped.
  ScalarExpr build(std::span<const int32_t> outputs) const;

 private:
  using Key = std::tuple<ScalarOp, int32_t, int32_t, int32_t, uint64_t>;
  int32_t intern(const ScalarInstruction& instruction);

  int32_t num_inputs_;
  std::vector<ScalarInstruction> code_;
  std::map<Key, int32_t> known_;
};

// The operands of an instruction that its arity uses.
std::span<const int32_t> operands(const ScalarInstruction& instruction,
                                  std::array<int32_t, 3>& storage);

}  // namespace addax
