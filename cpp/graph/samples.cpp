#include "graph/samples.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "ops/axes.h"

namespace addax {
namespace {

// Whether a node's operand is drawn from along its first axis.
bool is_drawn_from(const Node& node, size_t operand) {
  return node.op->name == "take" && operand == 0 && node.attrs.integer("axis") == 0;
}

}  // namespace

std::optional<Graph> with_samples(Graph graph, size_t drawn, int64_t samples) {
  const std::span<const Value> inputs = std::span(graph.inputs()).first(drawn);
  if (inputs.empty()) return graph;
  const auto is_input = [&](Value value) {
    return std::ranges::find(inputs, value) != inputs.end();
  };
  const auto extent = [&](Value value) {
    return graph.shape(value).rank() == 0 ? int64_t{-1} : graph.shape(value)[0];
  };
  const int64_t before = extent(inputs.front());
  if (before < 0 || !std::ranges::all_of(inputs, [&](Value v) { return extent(v) == before; })) {
    return std::nullopt;
  }
  if (std::ranges::any_of(graph.outputs(), is_input) ||
      std::ranges::any_of(graph.states(), is_input, &State::next)) {
    return std::nullopt;
  }
  for (Node& node : graph.mutable_nodes()) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (is_input(node.inputs[i]) && !is_drawn_from(node, i)) return std::nullopt;
    }
    if (node.op->name != "batch_indices") continue;
    if (node.attrs.integer("n") != before || node.attrs.integer("batch") > samples) {
      return std::nullopt;
    }
    node.attrs.set("n", samples);
  }
  for (const Value input : inputs) {
    Ints dims = to_ints(graph.shape(input));
    dims[0] = samples;
    graph.set_input_shape(input, Shape(dims));
  }
  return graph;
}

}  // namespace addax
