#include "graph/verifier.h"

#include <string>

#include "core/error.h"

namespace addax {
namespace {

class Verifier {
 public:
  Verifier(const Graph& graph, std::string_view after)
      : graph_(graph), after_(after), defined_(static_cast<size_t>(graph.num_values()), false) {}

  void run() {
    for (Value input : graph_.inputs()) define(input, kNone, "input");
    for (const State& state : graph_.states()) define(state.value, kNone, "state");
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      node(graph_.nodes()[i], static_cast<NodeId>(i));
    }
    for (Value output : graph_.outputs()) use(output, "return");
    for (const State& state : graph_.states()) {
      use(state.next, "state");
      if (graph_.type(state.next) != graph_.type(state.value)) {
        fail("state", "'" + graph_.info(state.value).name + "' holds " +
                          graph_.type(state.value).to_string() + " and its next value is " +
                          graph_.type(state.next).to_string());
      }
    }
  }

 private:
  [[noreturn]] void fail(const std::string& where, const std::string& what) const {
    throw InternalError("[" + where + "] invalid graph '" + graph_.name() + "' after " +
                        std::string(after_) + ": " + what);
  }

  static std::string name(Value value) { return "%" + std::to_string(value.id); }

  void define(Value value, NodeId producer, const std::string& where) {
    if (!value.valid() || value.id >= graph_.num_values()) {
      fail(where, name(value) + " is no value of the graph");
    }
    if (defined_[static_cast<size_t>(value.id)]) fail(where, name(value) + " is defined twice");
    if (graph_.info(value).producer != producer) {
      fail(where, name(value) + " names another producer");
    }
    defined_[static_cast<size_t>(value.id)] = true;
  }

  void use(Value value, const std::string& where) const {
    if (!value.valid() || value.id >= graph_.num_values() ||
        !defined_[static_cast<size_t>(value.id)]) {
      fail(where, name(value) + " is read before it is defined");
    }
  }

  void node(const Node& node, NodeId id) {
    if (node.op == nullptr) fail("node " + std::to_string(id), "it was erased but not dropped");
    const std::string& op = node.op->name;
    types_.clear();
    for (Value input : node.inputs) {
      use(input, op);
      types_.push_back(graph_.type(input));
    }
    for (const AttrDef& attr : node.op->attrs) {
      if (!node.attrs.has(attr.name)) fail(op, "attribute '" + attr.name + "' is not resolved");
    }
    for (const auto& [attr, value] : node.attrs) {
      if (node.op->find_attr(attr) == nullptr) fail(op, "unknown attribute '" + attr + "'");
    }
    const std::vector<TensorType> results = infer_types(*node.op, node.attrs, types_);
    if (results.size() != node.outputs.size()) {
      fail(op, "it has " + std::to_string(node.outputs.size()) + " outputs, infer gives " +
                   std::to_string(results.size()));
    }
    for (size_t i = 0; i < results.size(); ++i) {
      define(node.outputs[i], id, op);
      if (graph_.type(node.outputs[i]) != results[i]) {
        fail(op, name(node.outputs[i]) + " is " + graph_.type(node.outputs[i]).to_string() +
                     ", infer gives " + results[i].to_string());
      }
    }
  }

  const Graph& graph_;
  std::string_view after_;
  std::vector<bool> defined_;
  std::vector<TensorType> types_;
};

}  // namespace

void verify(const Graph& graph, std::string_view after) { Verifier(graph, after).run(); }

}  // namespace addax
