#include "graph/text.h"

namespace addax {
namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

// What an edge starts from: the node, or the input or state itself.
std::string source(const Graph& graph, Value value) {
  const NodeId producer = graph.info(value).producer;
  return producer == kNone ? "v" + std::to_string(value.id) : "n" + std::to_string(producer);
}

std::string edge(const Graph& graph, Value from, const std::string& to, bool dashed = false) {
  return "  " + source(graph, from) + " -> " + to + " [label=\"" + graph.type(from).to_string() +
         '"' + (dashed ? ", style=dashed" : "") + "];\n";
}

std::string box(const std::string& id, const std::string& label, const char* style) {
  return "  " + id + " [label=\"" + escaped(label) + "\", " + style + "];\n";
}

}  // namespace

std::string to_dot(const Graph& graph) {
  std::string text = "digraph \"" + escaped(graph.name()) + "\" {\n  node [fontname=monospace];\n";
  for (Value input : graph.inputs()) {
    text += box(source(graph, input), graph.info(input).name, "shape=ellipse");
  }
  for (const State& state : graph.states()) {
    text += box(source(graph, state.value), graph.info(state.value).name, "shape=cylinder");
  }
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (node.op == nullptr) continue;
    const std::string id = "n" + std::to_string(i);
    text += box(id, node.label.empty() ? node.op->name : node.op->name + " @ " + node.label,
                "shape=box");
    for (Value input : node.inputs) text += edge(graph, input, id);
  }
  for (const State& state : graph.states()) {
    if (state.next != state.value) {
      text += edge(graph, state.next, source(graph, state.value), true);
    }
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const std::string id = "out" + std::to_string(i);
    text += box(id, "output " + std::to_string(i), "shape=ellipse");
    text += edge(graph, graph.outputs()[i], id);
  }
  return text + "}\n";
}

}  // namespace addax
