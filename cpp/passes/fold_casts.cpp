#include "ops/compute_class.h"
#include "ops/registry.h"
#include "passes/pass.h"
#include "passes/rewriter.h"

namespace addax::passes {
namespace {

const Node* producer(const Graph& graph, Value value, std::string_view op) {
  const Node* node = graph.producer(value);
  return node != nullptr && node->op != nullptr && node->op->name == op ? node : nullptr;
}

// A convolution, or its gradient by the input, without the cast that narrowed its filter.
Value take_wide_filter(Graph& graph, const Node& node) {
  const DType dtype = graph.dtype(node.inputs[0]);
  const Node* cast = producer(graph, node.inputs[1], "cast");
  if (cast == nullptr || graph.dtype(node.inputs[1]) != dtype ||
      graph.dtype(cast->inputs[0]) != compute_class(dtype)) {
    return {};
  }
  std::vector<Value> inputs = node.inputs;
  inputs[1] = cast->inputs[0];
  return graph.emit(*node.op, node.attrs, inputs)[0];
}

// The cast that widens a gradient by the filter, as that gradient's own.
Value put_out_wide(Graph& graph, const Node& node) {
  const Node* grad = producer(graph, node.inputs[0], "conv2d_filter_grad");
  if (grad == nullptr || graph.dtype(node.outputs[0]) != compute_class(graph.dtype(node.inputs[0])))
    return {};
  Attrs attrs = grad->attrs;
  attrs.set("wide", true);
  const std::vector<Value> inputs = grad->inputs;
  return graph.emit(*grad->op, attrs, inputs)[0];
}

}  // namespace

void fold_casts(Graph& graph, const PassTarget& target) {
  const OpRegistry& ops = OpRegistry::instance();
  const OpDef* cast = &ops.at("cast");
  const OpDef* conv = &ops.at("conv2d");
  const OpDef* by_input = &ops.at("conv2d_input_grad");
  const std::vector<int32_t> uses = graph.use_counts();
  const bool changed = rewrite(graph, [&](const Node& node) -> Value {
    if (node.op == conv || node.op == by_input) return take_wide_filter(graph, node);
    if (node.op == cast && uses[static_cast<size_t>(node.inputs[0].id)] == 1)
      return put_out_wide(graph, node);
    return {};
  });
  if (changed) eliminate_dead_code(graph, target);
}

}  // namespace addax::passes
