#include <algorithm>
#include <array>
#include <numeric>

#include "ops/registry.h"
#include "passes/fusion_view.h"
#include "passes/pass.h"
#include "passes/rewriter.h"

namespace addax::passes {
namespace {

// An operand that a contraction's result is added to (or that is subtracted from it) or multiplied
// by, one element per column.
struct Step {
  const OpDef* op;
  Value operand;
};

struct Chain {
  Value start;  // the contraction's result
  std::vector<Step> steps;
  Value end;
  NodeId position;  // of the last step
};

struct AffineOps {
  const OpDef* add = OpRegistry::instance().find("add");
  const OpDef* subtract = OpRegistry::instance().find("subtract");
  const OpDef* multiply = OpRegistry::instance().find("multiply");
};

// Follows contractions' results for as long as one step alone reads them.
class ChainFinder {
 public:
  explicit ChainFinder(const FusionView& view) : view_(view) {}

  std::vector<Chain> run() const {
    std::vector<Chain> chains;
    for (NodeId id = 0; id < static_cast<NodeId>(view_.graph().nodes().size()); ++id) {
      const Node& node = view_.node(id);
      if (node.op->op_class != OpClass::Contraction || node.outputs.size() != 1) continue;
      const TensorType& type = view_.graph().type(node.outputs[0]);
      if (!view_.is_live(id) || !is_floating(type.dtype) || type.shape.rank() < 2) continue;
      Chain chain = follow(node.outputs[0]);
      if (is_worth_folding(chain)) chains.push_back(std::move(chain));
    }
    return chains;
  }

 private:
  Chain follow(Value start) const {
    Chain chain{start, {}, start, kNone};
    while (!view_.is_result(chain.end) && view_.users(chain.end).size() == 1) {
      const NodeId next = view_.users(chain.end)[0];
      const Value operand = other_operand(next, chain.end);
      if (!operand.valid()) break;
      chain.steps.push_back({view_.node(next).op, operand});
      chain.end = view_.node(next).outputs[0];
      chain.position = next;
    }
    return chain;
  }

  // What the node adds to `value` or multiplies it by, if it does and that has an element for each
  // column.
  Value other_operand(NodeId id, Value value) const {
    const OpDef* op = view_.node(id).op;
    if (op != ops_.add && op != ops_.subtract && op != ops_.multiply) return {};
    const auto operands = view_.operands(id);
    const bool first = operands[0] == value;
    if (!first && op == ops_.subtract) return {};
    const Value other = operands[first ? 1 : 0];
    const TensorType& type = view_.graph().type(value);
    const TensorType& vector = view_.graph().type(other);
    const int64_t columns = type.shape[type.shape.rank() - 1];
    const bool fits = vector.dtype == type.dtype && vector.shape.rank() > 0 &&
                      vector.shape[vector.shape.rank() - 1] == columns &&
                      vector.shape.num_elements() == columns &&
                      view_.graph().type(view_.node(id).outputs[0]) == type;
    return fits ? other : Value();
  }

  bool is_worth_folding(const Chain& chain) const {
    const auto factors = std::count_if(chain.steps.begin(), chain.steps.end(),
                                       [&](const Step& step) { return step.op == ops_.multiply; });
    const auto terms = std::ssize(chain.steps) - factors;
    return factors > 1 || terms > 1;
  }

  const FusionView& view_;
  AffineOps ops_;
};

Value emit_folded(Graph& graph, const Chain& chain) {
  const AffineOps ops;
  Value scale, shift;
  for (const Step& step : chain.steps) {
    if (step.op == ops.multiply) {
      scale = scale.valid() ? graph.multiply(scale, step.operand) : step.operand;
      if (shift.valid()) shift = graph.multiply(shift, step.operand);
    } else if (shift.valid()) {
      shift = graph.emit(*step.op, {}, std::array{shift, step.operand})[0];
    } else {
      shift = step.op == ops.add ? step.operand : graph.negative(step.operand);
    }
  }
  const Value scaled = scale.valid() ? graph.multiply(chain.start, scale) : chain.start;
  return shift.valid() ? graph.add(scaled, shift) : scaled;
}

}  // namespace

void fold_affine(Graph& graph, const PassTarget& target) {
  if (!target.fuse) return;
  const std::vector<Chain> chains = ChainFinder(FusionView(graph)).run();
  if (chains.empty()) return;
  std::vector<Value> replacements(static_cast<size_t>(graph.num_values()));
  std::vector<NodeId> positions(graph.nodes().size());
  std::iota(positions.begin(), positions.end(), 0);
  for (const Chain& chain : chains) {
    graph.set_label(graph.nodes()[static_cast<size_t>(chain.position)].label);
    replacements[static_cast<size_t>(chain.end.id)] = emit_folded(graph, chain);
    positions.resize(graph.nodes().size(), chain.position);
  }
  graph.set_label({});
  graph.replace_uses(replacements);
  place_nodes(graph, positions);
  eliminate_dead_code(graph, target);
}

}  // namespace addax::passes
