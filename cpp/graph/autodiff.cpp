#include "graph/autodiff.h"

#include <algorithm>
#include <string>

#include "core/error.h"

namespace addax {
namespace {

void check_floating(const Graph& graph, Value value, const char* what) {
  if (!value.valid() || value.id >= graph.num_values()) {
    throw InvalidArgumentError(std::string("[gradients] ") + what + " is no value of the graph");
  }
  if (!is_floating(graph.dtype(value))) {
    throw DTypeError(std::string("[gradients] ") + what + " must be floating, got " +
                     graph.type(value).to_string());
  }
}

size_t index_of(Value value) { return static_cast<size_t>(value.id); }

// Which values lie on a path of floating values from `wrt` to `loss`.
std::vector<bool> values_between(const Graph& graph, std::span<const Value> wrt, Value loss) {
  std::vector<bool> depends(static_cast<size_t>(graph.num_values()), false);
  for (Value value : wrt) depends[index_of(value)] = true;
  const auto any = [](const std::vector<bool>& marks, std::span<const Value> values) {
    return std::any_of(values.begin(), values.end(),
                       [&](Value value) { return marks[index_of(value)]; });
  };
  const std::vector<Node>& nodes = graph.nodes();
  for (const Node& node : nodes) {
    if (node.op == nullptr || !any(depends, node.inputs)) continue;
    for (Value output : node.outputs) {
      if (is_floating(graph.dtype(output))) depends[index_of(output)] = true;
    }
  }
  std::vector<bool> reaches(depends.size(), false);
  reaches[index_of(loss)] = true;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    if (node->op == nullptr || !any(reaches, node->outputs)) continue;
    for (Value input : node->inputs) reaches[index_of(input)] = true;
  }
  for (size_t i = 0; i < depends.size(); ++i) depends[i] = depends[i] && reaches[i];
  return depends;
}

class Backward {
 public:
  Backward(Graph& graph, std::vector<bool> between)
      : graph_(graph),
        between_(std::move(between)),
        adjoints_(between_.size()),
        saved_label_(graph.label()) {}

  ~Backward() { graph_.set_label(saved_label_); }
  Backward(const Backward&) = delete;
  Backward& operator=(const Backward&) = delete;

  void accumulate(Value value, Value gradient) {
    Value& adjoint = adjoints_[index_of(value)];
    adjoint = adjoint.valid() ? graph_.add(adjoint, gradient) : gradient;
  }

  Value adjoint(Value value) const { return adjoints_[index_of(value)]; }

  // `node` is a copy: emitting moves the graph's nodes.
  void visit(const Node node) {
    if (node.op == nullptr || !node.op->grad || !wanted(node.inputs)) return;
    std::vector<Value> output_grads;
    bool any = false;
    for (Value output : node.outputs) {
      output_grads.push_back(adjoints_[index_of(output)]);
      any = any || output_grads.back().valid();
    }
    if (!any) return;
    graph_.set_label(node.label);
    const std::vector<Value> grads = node.op->grad(
        GradCall{graph_, *node.op, node.attrs, node.inputs, node.outputs, output_grads});
    if (grads.size() != node.inputs.size()) {
      throw InternalError("[" + node.op->name + "] gives " + std::to_string(grads.size()) +
                          " gradients for " + std::to_string(node.inputs.size()) + " inputs");
    }
    for (size_t i = 0; i < grads.size(); ++i) {
      if (!grads[i].valid() || !between_[index_of(node.inputs[i])]) continue;
      if (graph_.type(grads[i]) != graph_.type(node.inputs[i])) {
        throw InternalError("[" + node.op->name + "] gives a gradient of " +
                            graph_.type(grads[i]).to_string() + " for input " + std::to_string(i) +
                            " of " + graph_.type(node.inputs[i]).to_string());
      }
      accumulate(node.inputs[i], grads[i]);
    }
  }

 private:
  bool wanted(std::span<const Value> inputs) const {
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](Value value) { return between_[index_of(value)]; });
  }

  Graph& graph_;
  std::vector<bool> between_;
  std::vector<Value> adjoints_;  // by value; of the values that the graph had at the start
  std::string saved_label_;
};

}  // namespace

std::vector<Value> gradients(Graph& graph, Value loss, std::span<const Value> wrt) {
  check_floating(graph, loss, "the loss");
  if (graph.shape(loss).rank() != 0) {
    throw ShapeError("[gradients] the loss must be a scalar, got " + graph.type(loss).to_string() +
                     "; reduce it by mean or sum");
  }
  for (size_t i = 0; i < wrt.size(); ++i) {
    check_floating(graph, wrt[i], ("value " + std::to_string(i)).c_str());
  }

  std::vector<bool> between = values_between(graph, wrt, loss);
  graph.expand([&](const Node& node) {
    return !node.op->grad &&
           std::any_of(node.outputs.begin(), node.outputs.end(), [&](Value output) {
             return index_of(output) >= between.size() || between[index_of(output)];
           });
  });
  between = values_between(graph, wrt, loss);

  Backward backward(graph, std::move(between));
  backward.accumulate(loss, graph.scalar(1, graph.dtype(loss)));
  for (size_t i = graph.nodes().size(); i-- > 0;) backward.visit(graph.nodes()[i]);

  std::vector<Value> results;
  for (Value value : wrt) {
    const Value gradient = backward.adjoint(value);
    results.push_back(gradient.valid() ? gradient : graph.full(0, graph.type(value)));
  }
  return results;
}

}  // namespace addax
