#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "graph/graph.h"

namespace addax {

// Puts nodes that were appended where they belong: `positions[i]` is the node, by its present
// number, after which node i is to stand. Without this, what only feeds a state would run last and
// keep its operands alive until then. Where an operand comes later, it is moved forward. Compacts.
inline void place_nodes(Graph& graph, const std::vector<NodeId>& positions) {
  std::vector<Node>& nodes = graph.mutable_nodes();
  std::vector<size_t> order(nodes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return positions[a] < positions[b]; });
  std::vector<Node> sorted;
  sorted.reserve(nodes.size());
  for (size_t i : order) sorted.push_back(std::move(nodes[i]));
  nodes = std::move(sorted);
  graph.compact();
}

// Walks the nodes in order and replaces those for which `rule` gives a value: by that value, which
// may be new. Nodes that the rule emits are not visited. Returns whether anything changed.
//     rule: (const Node&) -> Value, invalid to keep the node; asked for nodes with one output
template <typename Rule>
bool rewrite(Graph& graph, Rule rule) {
  std::vector<Value> replacements(static_cast<size_t>(graph.num_values()));
  std::vector<NodeId> positions(graph.nodes().size());
  std::iota(positions.begin(), positions.end(), 0);
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
    positions.resize(graph.nodes().size(), static_cast<NodeId>(i));
    if (!result.valid()) continue;
    replacements[static_cast<size_t>(node.outputs[0].id)] = result;
    graph.mutable_nodes()[i].op = nullptr;
    changed = true;
  }
  graph.set_label({});
  if (!changed) return false;
  graph.replace_uses(replacements);
  place_nodes(graph, positions);
  return true;
}

}  // namespace addax
