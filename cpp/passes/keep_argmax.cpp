#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ops/axes.h"
#include "ops/registry.h"
#include "ops/window.h"
#include "passes/pass.h"
#include "passes/rewriter.h"

namespace addax::passes {
namespace {

// Windows over one tensor.
using Windows = std::pair<int32_t, std::string>;

Windows windows_of(const Node& node) { return {node.inputs[0].id, node.attrs.to_string()}; }

bool is_numbered_by_bytes(const Node& node) {
  const Ints& size = node.attrs.ints("pool_size");
  return make_window(node.attrs, {size[0], size[1]}).is_numbered_by_bytes();
}

// The max pools that come before a gradient over the same windows.
class Keeper {
 public:
  explicit Keeper(const Graph& graph) {
    std::map<Windows, int32_t> pools;
    for (const Node& node : graph.nodes()) {
      if (node.op == max_pool_ && is_numbered_by_bytes(node)) {
        pools.emplace(windows_of(node), node.outputs[0].id);
      } else if (node.op == max_pool_grad_) {
        const auto pool = pools.find(windows_of(node));
        if (pool == pools.end()) continue;
        argmax_.emplace(pool->second, Value());
        pool_of_.emplace(node.outputs[0].id, pool->second);
      }
    }
  }

  bool empty() const { return pool_of_.empty(); }

  Value rewrite(Graph& graph, const Node& node) {
    const auto pool = argmax_.find(node.outputs[0].id);
    if (pool != argmax_.end()) {
      const std::vector<Value> outputs =
          graph.call_all("max_pool2d_argmax", node.inputs, node.attrs);
      pool->second = outputs[1];
      return outputs[0];
    }
    const auto gradient = pool_of_.find(node.outputs[0].id);
    if (gradient == pool_of_.end()) return {};
    Attrs attrs = node.attrs;
    attrs.set("input_shape", to_ints(graph.shape(node.inputs[0])));
    const Value argmax = argmax_.at(gradient->second);
    return graph.call("max_pool2d_argmax_grad", {node.inputs[1], argmax}, std::move(attrs));
  }

 private:
  const OpDef* max_pool_ = &OpRegistry::instance().at("max_pool2d");
  const OpDef* max_pool_grad_ = &OpRegistry::instance().at("max_pool2d_grad");
  std::map<int32_t, Value> argmax_;     // by the pool's output
  std::map<int32_t, int32_t> pool_of_;  // by the gradient's output
};

bool takes_argmax(const Graph& graph, const PassTarget& target) {
  const std::vector<bool> supported = target.supports(graph);
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const bool is_argmax = graph.nodes()[i].op->name.starts_with("max_pool2d_argmax");
    if (is_argmax && !supported[i]) return false;
  }
  return true;
}

}  // namespace

void keep_argmax(Graph& graph, const PassTarget& target) {
  Keeper keeper(graph);
  if (keeper.empty()) return;
  Graph rewritten = graph;
  rewrite(rewritten, [&](const Node& node) { return keeper.rewrite(rewritten, node); });
  if (takes_argmax(rewritten, target)) graph = std::move(rewritten);
}

}  // namespace addax::passes
