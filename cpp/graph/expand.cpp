#include <utility>

#include "core/error.h"
#include "graph/graph.h"

namespace addax {

// Decompositions are written against the emitter, which appends: the emitted tail is taken off
// again, its results renamed to the outputs of the node that it replaces, and placed node by node.
void Graph::place_expanded(Node node, const std::function<bool(const Node&)>& chosen) {
  if (node.op == nullptr || !node.op->decompose || !chosen(node)) {
    nodes_.push_back(std::move(node));
    return;
  }
  const size_t tail = nodes_.size();
  const int32_t first_new = num_values();
  label_ = node.label;
  const std::vector<Value> results =
      node.op->decompose(DecomposeCall{*this, *node.op, node.attrs, node.inputs});
  if (results.size() != node.outputs.size()) {
    throw InternalError("[" + node.op->name + "] decomposes into " +
                        std::to_string(results.size()) + " values for " +
                        std::to_string(node.outputs.size()) + " outputs");
  }

  std::vector<Value> renamed;  // by id - first_new
  const auto slot = [&](Value value) -> Value& {
    const size_t index = static_cast<size_t>(value.id - first_new);
    if (index >= renamed.size()) renamed.resize(static_cast<size_t>(num_values() - first_new));
    return renamed[index];
  };
  for (size_t i = 0; i < results.size(); ++i) {
    const TensorType expected = type(node.outputs[i]);
    Value result = results[i];
    if (type(result) != expected) {
      throw InternalError("[" + node.op->name + "] decomposes into " + type(result).to_string() +
                          " where it returns " + expected.to_string());
    }
    if (result.id < first_new || slot(result).valid()) {
      // An identity gives the result an id of its own.
      const auto dims = expected.shape.dims();
      result = call("reshape", {result}, {{"shape", Ints(dims.begin(), dims.end())}});
    }
    slot(result) = node.outputs[i];
  }

  const auto begin = nodes_.begin() + static_cast<std::ptrdiff_t>(tail);
  std::vector<Node> emitted(std::make_move_iterator(begin), std::make_move_iterator(nodes_.end()));
  nodes_.resize(tail);
  const auto rename = [&](Value& value) {
    if (value.id >= first_new && slot(value).valid()) value = slot(value);
  };
  for (Node& n : emitted) {
    for (Value& input : n.inputs) rename(input);
    for (Value& output : n.outputs) rename(output);
  }
  for (Node& n : emitted) place_expanded(std::move(n), chosen);
}

void Graph::expand(const std::function<bool(const Node&)>& chosen) {
  std::string label = label_;
  std::vector<Node> before = std::move(nodes_);
  nodes_.clear();
  nodes_.reserve(before.size() * 2);
  for (Node& node : before) place_expanded(std::move(node), chosen);
  label_ = std::move(label);
  refresh_producers();
}

}  // namespace addax
