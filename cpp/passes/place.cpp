#include "passes/place.h"

#include "passes/aliasing.h"

namespace addax {
namespace {

std::string types_text(const Graph& graph, const std::vector<Value>& values) {
  std::string text;
  for (const Value value : values) {
    text += (text.empty() ? "" : ", ") + graph.type(value).to_string();
  }
  return text;
}

}  // namespace

std::vector<NodeId> refused_nodes(const Graph& graph, const PassTarget& target) {
  const std::vector<bool> supported = target.supports(graph);
  std::vector<NodeId> refused;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!supported[i] && !is_view(node) && !is_constant(node)) {
      refused.push_back(static_cast<NodeId>(i));
    }
  }
  return refused;
}

std::string describe_types(const Graph& graph, const Node& node) {
  return "(" + types_text(graph, node.inputs) + ") -> " + types_text(graph, node.outputs);
}

std::string describe_label(const Node& node) {
  return node.label.empty() ? "" : ", in '" + node.label + "'";
}

}  // namespace addax
