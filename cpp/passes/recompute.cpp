#include "passes/recompute.h"

#include <algorithm>
#include <map>
#include <set>

#include "passes/fusion_depths.h"

namespace addax {
namespace {

constexpr size_t kMaxNodes = 8;

bool is_cheap(ScalarOp op) {
  switch (op) {
    case ScalarOp::Power:
    case ScalarOp::Arctan2:
    case ScalarOp::Mod:
    case ScalarOp::FloorDivide:
      return false;
    default:
      return op < ScalarOp::Exp || op > ScalarOp::Erf || op == ScalarOp::Sqrt;
  }
}

// A chain that computes `result` and the readers that get a copy of it.
struct Recomputation {
  Value result;
  std::vector<NodeId> chain;  // in order
  std::vector<NodeId> readers;
};

class Finder {
 public:
  explicit Finder(const FusionView& view) : view_(view), depths_(view, true) {}

  std::vector<Recomputation> run() {
    std::vector<Recomputation> found;
    for (NodeId id = 0; id < static_cast<NodeId>(view_.graph().nodes().size()); ++id) {
      if (!view_.is_live(id) || !view_.is_elementwise(id)) continue;
      const Value result = view_.node(id).outputs[0];
      std::map<int32_t, std::vector<NodeId>> readers = deeper_readers(id);
      if (readers.empty() || !has_cheap_chain(id)) continue;
      for (auto& [depth, group] : readers) {
        found.push_back({result, {chain_.begin(), chain_.end()}, std::move(group)});
      }
    }
    return found;
  }

 private:
  // By depth; none if the value has to be stored anyway.
  std::map<int32_t, std::vector<NodeId>> deeper_readers(NodeId id) const {
    std::map<int32_t, std::vector<NodeId>> readers;
    const Value result = view_.node(id).outputs[0];
    if (view_.is_result(result)) return {};
    for (NodeId user : view_.users(result)) {
      if (!depths_.is_fusible(id, user)) return {};
      if (depths_.depth(user) == depths_.depth(id)) continue;
      if (!view_.is_elementwise(user)) return {};
      readers[depths_.depth(user)].push_back(user);
    }
    return readers;
  }

  // Walks up from the node as long as values stay in registers; each node may have one such
  // operand, so that the copy can move to its readers as a whole.
  bool has_cheap_chain(NodeId last) {
    chain_.clear();
    std::set<int32_t> tensors;
    const int64_t size = view_.graph().shape(view_.node(last).outputs[0]).num_elements();
    for (NodeId id = last; id != kNone;) {
      chain_.insert(id);
      if (chain_.size() > kMaxNodes || !is_cheap_node(id)) return false;
      NodeId next = kNone;
      for (Value operand : view_.operands(id)) {
        const NodeId from = view_.producer(operand);
        if (depths_.joins(from, id) && !is_stored(from)) {
          if (next != kNone && next != from) return false;
          next = from;
        } else if (!view_.number(id, operand) &&
                   view_.graph().shape(operand).num_elements() == size) {
          tensors.insert(operand.id);
        }
      }
      id = next;
    }
    return tensors.size() <= 1;
  }

  bool is_cheap_node(NodeId id) const {
    const std::vector<ScalarInstruction>& code = view_.expr(id).code;
    return std::all_of(code.begin(), code.end(),
                       [](const ScalarInstruction& in) { return is_cheap(in.op); });
  }

  // Whether someone outside of its loop reads the node's result, whatever happens.
  bool is_stored(NodeId id) const {
    const Value result = view_.node(id).outputs[0];
    const auto users = view_.users(result);
    return view_.is_result(result) || std::any_of(users.begin(), users.end(), [&](NodeId user) {
             return !depths_.is_fusible(id, user);
           });
  }

  const FusionView& view_;
  FusionDepths depths_;
  std::set<NodeId> chain_;
};

void apply(Graph& graph, const Recomputation& recomputation) {
  std::map<int32_t, Value> copies;
  const auto copy_of = [&](Value value) {
    const auto found = copies.find(value.id);
    return found == copies.end() ? value : found->second;
  };
  for (NodeId id : recomputation.chain) {
    const Node node = graph.nodes()[static_cast<size_t>(id)];
    std::vector<Value> inputs;
    for (Value input : node.inputs) inputs.push_back(copy_of(input));
    graph.set_label(node.label);
    copies[node.outputs[0].id] = graph.emit(*node.op, node.attrs, inputs)[0];
  }
  for (NodeId reader : recomputation.readers) {
    for (Value& input : graph.mutable_nodes()[static_cast<size_t>(reader)].inputs) {
      if (input == recomputation.result) input = copies.at(input.id);
    }
  }
}

}  // namespace

bool recompute_cheap_values(Graph& graph) {
  const std::vector<Recomputation> found = Finder(FusionView(graph)).run();
  for (const Recomputation& recomputation : found) apply(graph, recomputation);
  graph.set_label({});
  if (!found.empty()) graph.compact();
  return !found.empty();
}

}  // namespace addax
