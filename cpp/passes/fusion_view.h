#pragma once

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"
#include "ops/scalar_expr.h"

namespace addax {

// A graph as fusion sees it: an elementwise node reads through broadcasts, which a fused loop does
// by itself, and through casts that a fused load does; nodes that are only read through are dead.
// The graph must not change while the view is in use.
class FusionView {
 public:
  explicit FusionView(const Graph& graph);

  const Graph& graph() const { return graph_; }
  const Node& node(NodeId id) const { return graph_.nodes()[static_cast<size_t>(id)]; }
  NodeId producer(Value value) const { return graph_.info(value).producer; }

  bool is_live(NodeId id) const { return live_[static_cast<size_t>(id)]; }
  // Whether the node is elementwise and may become part of a fused loop.
  bool is_elementwise(NodeId id) const { return compute_[static_cast<size_t>(id)].has_value(); }
  // The type that the elementwise node computes in: Float32, Float64 or Int64.
  DType compute(NodeId id) const { return *compute_[static_cast<size_t>(id)]; }
  // Whether it works on truth values only, which are the same in every compute type.
  bool is_logical(NodeId id) const { return logical_[static_cast<size_t>(id)]; }

  // What the node reads, one per input, seen through broadcasts and casts if it is elementwise.
  std::span<const Value> operands(NodeId id) const { return operands_[static_cast<size_t>(id)]; }
  // The number that an operand of the node is, if it may stand in the expression. All operands of
  // what could not be folded stay operands.
  std::optional<double> number(NodeId id, Value operand) const;

  // Live nodes that read the value, each once, in order.
  std::span<const NodeId> users(Value value) const { return users_[static_cast<size_t>(value.id)]; }
  // Whether the value is an output of the graph or some state's next value.
  bool is_result(Value value) const { return result_[static_cast<size_t>(value.id)]; }

  // Whether the elementwise node's result, kept in its compute type instead of stored and loaded
  // again, is what a reader would load: not where storing rounds or wraps. Results of float16 and
  // bfloat16 arithmetic may keep more precision than they would have in memory.
  bool is_exact_unstored(NodeId id) const;

  // The scalar expression of an elementwise node over its operands.
  const ScalarExpr& expr(NodeId id) const;

 private:
  void classify();
  void read_through();
  void find_live();
  void settle_logical();

  const Graph& graph_;
  std::vector<std::optional<DType>> compute_;
  std::vector<bool> logical_;
  std::vector<bool> varies_;  // not all operands are numbers
  std::vector<bool> live_;
  std::vector<bool> result_;
  std::vector<std::vector<Value>> operands_;
  std::vector<std::vector<NodeId>> users_;
  mutable std::unordered_map<std::string, ScalarExpr> exprs_;
};

}  // namespace addax
