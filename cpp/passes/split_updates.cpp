#include <algorithm>
#include <numeric>
#include <vector>

#include "ops/update_groups.h"
#include "passes/aliasing.h"
#include "passes/pass.h"
#include "passes/rewriter.h"

namespace addax::passes {
namespace {

// Bytes of parameters in one update, at least. Gradients of fewer stay in a core's caches however
// long they wait, and a node costs a few microseconds.
constexpr int64_t kLeastBytes = 1 << 20;

class Splitter {
 public:
  explicit Splitter(Graph& graph)
      : graph_(graph), aliases_(graph), positions_(graph.nodes().size()) {
    std::iota(positions_.begin(), positions_.end(), 0);
  }

  bool split(NodeId id) {
    const Node node = graph_.nodes()[static_cast<size_t>(id)];
    const UpdateGroups groups = update_groups(*node.op, node.attrs, node.inputs.size());
    const std::vector<Part> parts = parts_of(id, node, groups);
    if (parts.size() < 2) return false;
    for (const Part& part : parts) emit(node, groups, part);
    graph_.mutable_nodes()[static_cast<size_t>(id)].op = nullptr;
    return true;
  }

  void finish() {
    graph_.replace_uses(replacements_);
    place_nodes(graph_, positions_);
  }

 private:
  // Some of an update's parameters, and the node after which all is there that they wait for.
  struct Part {
    std::vector<size_t> parameters;
    NodeId ready = 0;
    int64_t bytes = 0;
  };

  std::vector<Part> parts_of(NodeId id, const Node& node, const UpdateGroups& groups) const {
    std::vector<NodeId> ready(groups.count);
    for (size_t i = 0; i < groups.count; ++i) ready[i] = ready_after(id, node, groups, i);
    std::vector<size_t> order(groups.count);
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return ready[a] < ready[b]; });
    std::vector<Part> parts;
    for (size_t i : order) {
      const bool full = !parts.empty() && parts.back().bytes >= kLeastBytes;
      if (parts.empty() || (full && parts.back().ready < ready[i])) parts.emplace_back();
      Part& part = parts.back();
      part.parameters.push_back(i);
      part.ready = ready[i];
      part.bytes += graph_.type(node.inputs[groups.input(UpdateGroups::kParameters, i)]).bytes();
    }
    return parts;
  }

  // The last of the nodes that compute what parameter i's update takes, or read what it overwrites.
  NodeId ready_after(NodeId id, const Node& node, const UpdateGroups& groups, size_t i) const {
    NodeId last = 0;
    for (size_t group = 0; group < groups.groups; ++group) {
      const Value value = aliases_.root(node.inputs[groups.input(group, i)]);
      last = std::max(last, graph_.info(value).producer);
      if (group == UpdateGroups::kGradients) continue;
      for (NodeId reader : aliases_.readers(value)) {
        if (reader < id) last = std::max(last, reader);
      }
    }
    return last;
  }

  void emit(const Node& node, const UpdateGroups& groups, const Part& part) {
    std::vector<Value> inputs(node.inputs.begin(),
                              node.inputs.begin() + static_cast<ptrdiff_t>(groups.scalars));
    for (size_t group = 0; group < groups.groups; ++group) {
      for (size_t i : part.parameters) inputs.push_back(node.inputs[groups.input(group, i)]);
    }
    Attrs attrs = node.attrs;
    attrs.set("count", static_cast<int64_t>(part.parameters.size()));
    graph_.set_label(node.label);
    const std::vector<Value> outputs = graph_.emit(*node.op, attrs, inputs);
    graph_.set_label({});
    positions_.resize(graph_.nodes().size(), part.ready);
    replacements_.resize(static_cast<size_t>(graph_.num_values()));
    const UpdateGroups own = {groups.scalars, part.parameters.size(), groups.groups};
    for (size_t group = 0; group < groups.groups; ++group) {
      if (group == UpdateGroups::kGradients) continue;
      for (size_t k = 0; k < own.count; ++k) {
        const Value whole = node.outputs[groups.output(group, part.parameters[k])];
        replacements_[static_cast<size_t>(whole.id)] = outputs[own.output(group, k)];
      }
    }
  }

  Graph& graph_;
  Aliases aliases_;  // of the graph as it came
  std::vector<NodeId> positions_;
  std::vector<Value> replacements_;
};

}  // namespace

void split_updates(Graph& graph, const PassTarget&) {
  Splitter splitter(graph);
  bool changed = false;
  const auto count = static_cast<NodeId>(graph.nodes().size());
  for (NodeId id = 0; id < count; ++id) {
    const bool updates = graph.nodes()[static_cast<size_t>(id)].op->op_class == OpClass::Update;
    if (updates) changed = splitter.split(id) || changed;
  }
  if (changed) splitter.finish();
}

}  // namespace addax::passes
