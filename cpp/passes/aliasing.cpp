#include "passes/aliasing.h"

#include <algorithm>

#include "ops/registry.h"

namespace addax {
namespace {

size_t index_of(Value value) { return static_cast<size_t>(value.id); }

// An elementwise op, or a fused group of them without reductions.
bool is_pointwise(const Node& node) {
  static const OpDef* fused = OpRegistry::instance().find("fused");
  if (node.op == fused) return node.attrs.text("reduce").empty();
  return node.op->op_class == OpClass::Elementwise;
}

}  // namespace

bool is_view(const Node& node) {
  static const OpDef* reshape = OpRegistry::instance().find("reshape");
  return node.op == reshape;
}

bool is_constant(const Node& node) {
  static const OpDef* constant = OpRegistry::instance().find("constant");
  return node.op == constant;
}

bool is_computed(const Graph& graph, const Aliases& aliases, Value value) {
  const Node* producer = graph.producer(aliases.root(value));
  return producer != nullptr && !is_constant(*producer);
}

Aliases::Aliases(const Graph& graph)
    : graph_(graph),
      roots_(static_cast<size_t>(graph.num_values())),
      readers_(static_cast<size_t>(graph.num_values())) {
  for (size_t i = 0; i < roots_.size(); ++i) roots_[i] = Value{static_cast<int32_t>(i)};
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (is_view(node)) {
      roots_[index_of(node.outputs[0])] = root(node.inputs[0]);
      continue;
    }
    for (Value input : node.inputs) {
      std::vector<NodeId>& readers = readers_[index_of(root(input))];
      const NodeId id = static_cast<NodeId>(i);
      if (readers.empty() || readers.back() != id) readers.push_back(id);
    }
  }
}

bool Aliases::may_overwrite(const Node& node, int output, Value root) const {
  const TensorType& result = graph_.type(node.outputs[static_cast<size_t>(output)]);
  const bool pointwise = is_pointwise(node);
  const int allowed = pointwise ? -1
                                : in_place_input(*node.op, node.attrs, output,
                                                 static_cast<int>(node.inputs.size()));
  bool reads = false;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (this->root(node.inputs[i]) != root) continue;
    if (graph_.type(node.inputs[i]) != result) return false;
    if (!pointwise && static_cast<int>(i) != allowed) return false;
    reads = true;
  }
  return reads;
}

bool Aliases::may_update(Value state, Value next) const {
  const Value written = root(next);
  const NodeId writer = graph_.info(written).producer;
  const std::span<const NodeId> old_readers = readers(state);
  if (old_readers.empty() || old_readers.back() < writer) return true;
  if (old_readers.back() > writer) return false;
  const Node& node = graph_.nodes()[static_cast<size_t>(writer)];
  const auto output = std::find(node.outputs.begin(), node.outputs.end(), written);
  return may_overwrite(node, static_cast<int>(output - node.outputs.begin()), state);
}

}  // namespace addax
