#include "passes/pass.h"

namespace addax::passes {

void eliminate_dead_code(Graph& graph, const PassTarget&) {
  std::vector<bool> needed(static_cast<size_t>(graph.num_values()), false);
  for (Value output : graph.outputs()) needed[static_cast<size_t>(output.id)] = true;
  for (const State& state : graph.states()) needed[static_cast<size_t>(state.next.id)] = true;

  std::vector<Node>& nodes = graph.mutable_nodes();
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    bool live = false;
    for (Value output : node->outputs) live = live || needed[static_cast<size_t>(output.id)];
    if (!live) {
      node->op = nullptr;
      continue;
    }
    for (Value input : node->inputs) needed[static_cast<size_t>(input.id)] = true;
  }
  graph.compact();
}

}  // namespace addax::passes
