#include "core/error.h"
#include "passes/aliasing.h"
#include "passes/pass.h"

namespace addax::passes {

void place(Graph& graph, const PassTarget& target) {
  const std::vector<bool> supported = target.supports(graph);
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (supported[i] || is_view(node) || is_constant(node)) continue;
    std::string types;
    for (Value input : node.inputs) {
      types += (types.empty() ? "" : ", ") + graph.type(input).to_string();
    }
    throw UnsupportedError("[" + node.op->name + "] the device has no kernel for (" + types +
                           ") -> " + graph.type(node.outputs[0]).to_string() +
                           " and the op has no decomposition" +
                           (node.label.empty() ? "" : ", in '" + node.label + "'") +
                           "; use another dtype or another device");
  }
}

}  // namespace addax::passes
