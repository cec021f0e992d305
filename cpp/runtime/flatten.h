#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "addax/device.h"
#include "graph/graph.h"
#include "passes/memory_plan.h"

namespace addax {

// A graph as the plain data of the device ABI. Tensor i is value i; bindings are the graph's
// inputs, then its states, then its outputs. Constants are tensors with data; `constant` and
// `reshape` are no nodes. Refers to the graph, which must stay alive and unchanged.
class FlatGraph {
 public:
  // For compile: every value where `plan` puts it.
  FlatGraph(const Graph& graph, const MemoryPlan& plan);
  // For supports, before there is a plan: types, attributes and constants only.
  explicit FlatGraph(const Graph& graph);
  FlatGraph(const FlatGraph&) = delete;
  FlatGraph& operator=(const FlatGraph&) = delete;

  const adx_graph& get() const { return flat_; }
  // Which node of the graph each flat node is.
  std::span<const NodeId> nodes() const { return node_ids_; }

 private:
  void add_nodes(const Graph& graph);
  void finish(const Graph& graph, uint64_t arena_bytes);

  std::vector<adx_tensor> tensors_;
  std::vector<adx_node> nodes_;
  std::vector<NodeId> node_ids_;
  std::vector<int32_t> operands_;  // inputs and outputs of all nodes
  std::vector<adx_attr> attrs_;
  adx_graph flat_{};
};

// The core's count of floating-point operations of one run of a node.
double node_flops(const Graph& graph, const Node& node);

}  // namespace addax
