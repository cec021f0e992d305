#include "ops/scalar_expr_builder.h"

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace addax {

std::span<const int32_t> operands(const ScalarInstruction& instruction,
                                  std::array<int32_t, 3>& storage) {
  storage = {instruction.a, instruction.b, instruction.c};
  return {storage.data(), static_cast<size_t>(arity(instruction.op))};
}

ScalarExprBuilder::ScalarExprBuilder(int32_t num_inputs) : num_inputs_(num_inputs) {
  for (int32_t i = 0; i < num_inputs; ++i) {
    code_.push_back({ScalarOp::Input, -1, -1, -1, static_cast<double>(i)});
  }
}

int32_t ScalarExprBuilder::intern(const ScalarInstruction& instruction) {
  const Key key{instruction.op, instruction.a, instruction.b, instruction.c,
                std::bit_cast<uint64_t>(instruction.value)};
  const auto [place, is_new] = known_.try_emplace(key, static_cast<int32_t>(code_.size()));
  if (is_new) code_.push_back(instruction);
  return place->second;
}

int32_t ScalarExprBuilder::constant(double value) {
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  return intern({ScalarOp::Constant, -1, -1, -1, value});
}

int32_t ScalarExprBuilder::apply(ScalarOp op, int32_t a, int32_t b, int32_t c) {
  const auto as_constant = [this](int32_t index) -> const double* {
    const ScalarInstruction& instruction = code_[static_cast<size_t>(index)];
    return instruction.op == ScalarOp::Constant ? &instruction.value : nullptr;
  };
  const ScalarInstruction instruction{op, a, b, c, 0};
  if (op == ScalarOp::Where) {
    if (const double* condition = as_constant(a)) return *condition != 0 ? b : c;
  }
  std::array<int32_t, 3> storage;
  std::array<double, 3> values{};
  size_t known = 0;
  const std::span<const int32_t> used = operands(instruction, storage);
  for (int32_t operand : used) {
    const double* value = as_constant(operand);
    if (value == nullptr) break;
    values[known++] = *value;
  }
  if (known == used.size()) return constant(evaluate(op, values[0], values[1], values[2]));
  return intern(instruction);
}

std::vector<int32_t> ScalarExprBuilder::append(const ScalarExpr& expr,
                                               std::span<const int32_t> inputs) {
  std::vector<int32_t> index(expr.code.size());
  const auto at = [&index](int32_t i) { return i < 0 ? i : index[static_cast<size_t>(i)]; };
  for (size_t i = 0; i < expr.code.size(); ++i) {
    const ScalarInstruction& instruction = expr.code[i];
    switch (instruction.op) {
      case ScalarOp::Input:
        index[i] = inputs[static_cast<size_t>(instruction.value)];
        break;
      case ScalarOp::Constant:
        index[i] = constant(instruction.value);
        break;
      default:
        index[i] = apply(instruction.op, at(instruction.a), at(instruction.b), at(instruction.c));
    }
  }
  std::vector<int32_t> outputs;
  for (int32_t output : expr.outputs) outputs.push_back(at(output));
  return outputs;
}

ScalarExpr ScalarExprBuilder::build(std::span<const int32_t> outputs) const {
  ScalarExpr expr;
  expr.num_inputs = num_inputs_;
  std::vector<int32_t> placed(code_.size(), -1);
  for (int32_t i = 0; i < num_inputs_; ++i) {
    placed[static_cast<size_t>(i)] = i;
    expr.code.push_back(code_[static_cast<size_t>(i)]);
  }
  const auto place = [&](int32_t old_index) {
    ScalarInstruction instruction = code_[static_cast<size_t>(old_index)];
    for (int32_t* operand : {&instruction.a, &instruction.b, &instruction.c}) {
      if (*operand >= 0) *operand = placed[static_cast<size_t>(*operand)];
    }
    placed[static_cast<size_t>(old_index)] = static_cast<int32_t>(expr.code.size());
    expr.code.push_back(instruction);
  };
  // Depth first with a stack of our own: chains may be thousands long. The second number of an
  // entry says how many of its operands have been visited.
  std::vector<std::pair<int32_t, size_t>> stack;
  for (int32_t output : outputs) {
    stack.emplace_back(output, 0);
    while (!stack.empty()) {
      const int32_t index = stack.back().first;
      std::array<int32_t, 3> storage;
      const std::span<const int32_t> used = operands(code_[static_cast<size_t>(index)], storage);
      const size_t next = stack.back().second++;
      if (placed[static_cast<size_t>(index)] >= 0) {
        stack.pop_back();
      } else if (next < used.size()) {
        stack.emplace_back(used[next], 0);
      } else {
        place(index);
        stack.pop_back();
      }
    }
    expr.outputs.push_back(placed[static_cast<size_t>(output)]);
  }
  return expr;
}

}  // namespace addax
