#pragma once

#include <vector>

#include "graph/graph.h"

namespace addax {

// Walks the nodes in order and replaces those for which `rule` gives a value: by that value, which
// may be new. Nodes that the rule emits are not visited. Returns whether anything changed.
//     rule: (const Node&) -> Value, invalid to keep the node; asked for nodes with one output
template <typename Rule>
bool rewrite(Graph& graph, Rule rule) {
  std::vector<Value> replacements(static_cast<size_t>(graph.num_values()));
  const size_t count = graph.nodes().size();
  bool changed = false;
  for (size_t i = 0; i < count; ++i) {
    for (Value& input : graph.mutable_nodes()[i].inputs) {
      const Value other = replacements[static_cast<size_t>(input.id)];
      if (other.valid()) input = other;
    }
    if (graph.nodes()[i].outputs.size() != 1) continue;
    const Node node = graph.nodes()[i];  // emitting moves the graph's own
    graph.set_label(node.label);
    const Value result = rule(node);
    replacements.resize(static_cast<size_t>(graph.num_values()));
    if (!result.valid()) continue;
    replacements[static_cast<size_t>(node.outputs[0].id)] = result;
    graph.mutable_nodes()[i].op = nullptr;
    changed = true;
  }
  graph.set_label({});
  if (!changed) return false;
  graph.replace_uses(replacements);
  graph.compact();
  return true;
}

}  // namespace addax
