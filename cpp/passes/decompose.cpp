#include "core/error.h"
#include "passes/aliasing.h"
#include "passes/pass.h"

namespace addax::passes {

void decompose(Graph& graph, const PassTarget& target) {
  constexpr int kMaxDepth = 16;
  for (int depth = 0;; ++depth) {
    const std::vector<bool> supported = target.supports(graph);
    // By first output. The last node of a decomposition takes over that value, and may be of the
    // same op, on inputs of another dtype: hence op and inputs.
    struct Refused {
      const OpDef* op = nullptr;
      std::vector<Value> inputs;
    };
    std::vector<Refused> refused(static_cast<size_t>(graph.num_values()));
    const OpDef* any = nullptr;
    for (size_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      if (supported[i] || !node.op->decompose || is_view(node) || is_constant(node)) continue;
      refused[static_cast<size_t>(node.outputs[0].id)] = {node.op, node.inputs};
      any = node.op;
    }
    if (any == nullptr) return;
    if (depth == kMaxDepth) {
      throw InternalError("[" + any->name + "] its decomposition does not end");
    }
    graph.expand([&](const Node& node) {
      const size_t output = static_cast<size_t>(node.outputs[0].id);
      return output < refused.size() && refused[output].op == node.op &&
             refused[output].inputs == node.inputs;
    });
    graph.compact();
  }
}

}  // namespace addax::passes
