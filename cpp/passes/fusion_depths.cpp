#include "passes/fusion_depths.h"

#include <algorithm>
#include <limits>
#include <set>

namespace addax {
bool is_fusible_reduction(const Node& node) {
  const std::string& op = node.op->name;
  return node.op->op_class == OpClass::Reduce &&
         (op == "sum" || op == "max" || op == "min" || op == "prod");
}

bool is_outer_run(const Ints& axes, int rank) {
  if (axes.empty() || axes.back() - axes.front() + 1 != static_cast<int64_t>(axes.size())) {
    return false;
  }
  return axes.front() == 0 || axes.back() == rank - 1;
}

FusionDepths::FusionDepths(const FusionView& view, bool merge)
    : view_(view), merge_(merge), depths_(view.graph().nodes().size(), 0) {
  const NodeId end = static_cast<NodeId>(depths_.size());
  for (NodeId id = 0; id < end; ++id) settle_early(id);
  for (NodeId id = end; id-- > 0;) settle_late(id);
}

bool FusionDepths::is_fusible(NodeId from, NodeId user) const {
  if (!merge_ || from == kNone || !view_.is_elementwise(from)) return false;
  const Graph& graph = view_.graph();
  const Value value = view_.node(from).outputs[0];
  const Shape& domain = graph.shape(value);
  if (view_.is_elementwise(user)) {
    return view_.compute(from) == view_.compute(user) &&
           graph.shape(view_.node(user).outputs[0]) == domain && view_.is_exact_unstored(from);
  }
  const Node& node = view_.node(user);
  return is_fusible_reduction(node) && is_outer_run(node.attrs.ints("axes"), domain.rank()) &&
         is_floating(graph.dtype(value)) == is_floating(view_.compute(from)) &&
         view_.is_exact_unstored(from);
}

void FusionDepths::settle_early(NodeId id) {
  for (Value operand : view_.operands(id)) {
    const NodeId from = view_.producer(operand);
    if (from == kNone) continue;
    at(id) = std::max(depth(id), depth(from) + (is_fusible(from, id) ? 0 : 1));
  }
}

void FusionDepths::settle_late(NodeId id) {
  if (!view_.is_live(id) || !view_.is_elementwise(id)) return;
  const Value result = view_.node(id).outputs[0];
  if (view_.is_result(result)) return;
  const auto users = view_.users(result);
  int32_t latest = std::numeric_limits<int32_t>::max();
  for (NodeId user : users) {
    latest = std::min(latest, depth(user) - (is_fusible(id, user) ? 0 : 1));
  }
  if (latest <= depth(id)) return;
  const bool meets = std::any_of(users.begin(), users.end(), [&](NodeId user) {
    return depth(user) == latest && is_fusible(id, user);
  });
  if (meets && newly_stored(id) <= 1) at(id) = latest;
}

// How many operands would have to be stored only because the node leaves their depth.
int FusionDepths::newly_stored(NodeId id) const {
  std::set<int32_t> stored;
  for (Value operand : view_.operands(id)) {
    const NodeId from = view_.producer(operand);
    if (!joins(from, id) || view_.is_result(operand)) continue;
    const auto users = view_.users(operand);
    const bool kept = std::any_of(users.begin(), users.end(),
                                  [&](NodeId user) { return user != id && !joins(from, user); });
    if (!kept) stored.insert(operand.id);
  }
  return static_cast<int>(stored.size());
}

}  // namespace addax
