#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <vector>

#include "ops/registry.h"
#include "passes/pass.h"
#include "passes/rewriter.h"
#include "passes/uniform.h"

namespace addax::passes {
namespace {

class Hoister {
 public:
  explicit Hoister(Graph& graph) : graph_(graph), uses_(graph.use_counts()) {}

  Value operator()(const Node& node) {
    if (node.op == where_) return mask_before(node);
    if (node.op == sum_) return sum_before(node);
    return {};
  }

 private:
  const Node* producer(Value value, const OpDef* op) const {
    const Node* node = graph_.producer(value);
    return node != nullptr && node->op == op ? node : nullptr;
  }

  bool used_once(Value value) const {
    const auto id = static_cast<size_t>(value.id);
    return id < uses_.size() && uses_[id] == 1;
  }

  // where(x > s, max_pool2d_grad(x, dy), 0): dy goes to elements of x that are their windows'
  // maxima, so that the maxima can be asked in their place.
  Value mask_before(const Node& node) {
    const Node* condition = producer(node.inputs[0], greater_);
    const Node* spread = producer(node.inputs[1], max_pool_grad_);
    if (condition == nullptr || spread == nullptr || !used_once(node.inputs[1])) return {};
    const Value x = spread->inputs[0];
    const std::optional<double> bound = uniform_value(graph_, condition->inputs[1]);
    const std::optional<double> otherwise = uniform_value(graph_, node.inputs[2]);
    if (condition->inputs[0] != x || !bound || otherwise != 0 || std::signbit(*otherwise))
      return {};
    if (graph_.shape(node.outputs[0]) != graph_.shape(x)) return {};
    const Value dy = spread->inputs[1];
    const Attrs attrs = spread->attrs;
    const DType dtype = graph_.dtype(x);
    const Value maxima = graph_.call("max_pool2d", {x}, attrs);
    const Value chosen = graph_.call("greater", {maxima, graph_.scalar(*bound, dtype)});
    const Value masked = graph_.where(chosen, dy, graph_.scalar(0, dtype));
    return graph_.call("max_pool2d_grad", {x, masked}, attrs);
  }

  // Each element of dy is spread over its window, which has elements beside padding.
  Value sum_before(const Node& node) {
    const Node* spread = graph_.producer(node.inputs[0]);
    if (spread == nullptr || (spread->op != max_pool_grad_ && spread->op != avg_pool_grad_)) {
      return {};
    }
    const Ints& axes = node.attrs.ints("axes");
    const auto sums = [&](int64_t axis) {
      return std::find(axes.begin(), axes.end(), axis) != axes.end();
    };
    if (!sums(1) || !sums(2)) return {};
    return graph_.call("sum", {spread->inputs.back()}, node.attrs);
  }

  Graph& graph_;
  const std::vector<int32_t> uses_;
  const OpDef* where_ = &OpRegistry::instance().at("where");
  const OpDef* greater_ = &OpRegistry::instance().at("greater");
  const OpDef* sum_ = &OpRegistry::instance().at("sum");
  const OpDef* max_pool_grad_ = &OpRegistry::instance().at("max_pool2d_grad");
  const OpDef* avg_pool_grad_ = &OpRegistry::instance().at("avg_pool2d_grad");
};

// Sums of what is then spread stand before it: its readers come next, and find it in the cache.
void put_sums_first(Graph& graph) {
  const OpRegistry& ops = OpRegistry::instance();
  std::vector<NodeId> positions(graph.nodes().size());
  std::iota(positions.begin(), positions.end(), 0);
  std::map<int32_t, NodeId> spreads;  // by what they spread
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (node.op == &ops.at("max_pool2d_grad")) {
      spreads.emplace(node.inputs[1].id, static_cast<NodeId>(i));
    } else if (node.op == &ops.at("sum")) {
      const auto spread = spreads.find(node.inputs[0].id);
      if (spread != spreads.end()) positions[i] = spread->second - 1;
    }
  }
  place_nodes(graph, positions);
}

}  // namespace

void hoist_over_pooling(Graph& graph, const PassTarget& target) {
  if (!rewrite(graph, Hoister(graph))) return;
  put_sums_first(graph);
  eliminate_dead_code(graph, target);
}

}  // namespace addax::passes
