#include "passes/expr_assembler.h"

#include <unordered_map>

#include "ops/scalar_expr_builder.h"

namespace addax {

AssembledExpr assemble_expr(const FusionView& view, std::span<const NodeId> nodes,
                            std::span<const Value> outputs, Value first) {
  AssembledExpr result;
  std::unordered_map<int32_t, int32_t> known;  // value to instruction
  constexpr int32_t kInside = -2;
  const auto add_input = [&](Value value) {
    if (known.try_emplace(value.id, static_cast<int32_t>(result.inputs.size())).second) {
      result.inputs.push_back(value);
    }
  };
  if (first.valid()) add_input(first);
  for (NodeId id : nodes) known[view.node(id).outputs[0].id] = kInside;
  for (NodeId id : nodes) {
    for (Value operand : view.operands(id)) {
      if (!view.number(id, operand)) add_input(operand);
    }
  }

  ScalarExprBuilder builder(static_cast<int32_t>(result.inputs.size()));
  for (NodeId id : nodes) {
    std::vector<int32_t> operands;
    for (Value operand : view.operands(id)) {
      const std::optional<double> number = view.number(id, operand);
      operands.push_back(number ? builder.constant(*number) : known.at(operand.id));
    }
    known[view.node(id).outputs[0].id] = builder.append(view.expr(id), operands)[0];
  }
  std::vector<int32_t> indices;
  for (Value output : outputs) indices.push_back(known.at(output.id));
  result.expr = builder.build(indices);
  return result;
}

}  // namespace addax
