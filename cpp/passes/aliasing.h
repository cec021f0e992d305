#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"

namespace addax {

// A reshape's result is a view: which values share memory for that reason, and who reads it.
class Aliases {
 public:
  explicit Aliases(const Graph& graph);

  // The value that the memory was made for: an input, a state or the output of another node.
  Value root(Value value) const { return roots_[static_cast<size_t>(value.id)]; }

  // The nodes that read the memory of a root, in order, each once. Reshapes read nothing.
  std::span<const NodeId> readers(Value root) const {
    return readers_[static_cast<size_t>(root.id)];
  }

  // Whether output `output` of `node` may be written into the memory of `root`, which the node
  // reads: elementwise ops where every such input has the output's type, other ops as
  // `in_place_input` says.
  bool may_overwrite(const Node& node, int output, Value root) const;

  // Whether the state's buffer may take `next`, which some node computes, right when it is
  // computed: nobody reads the old value later.
  bool may_update(Value state, Value next) const;

 private:
  const Graph& graph_;
  std::vector<Value> roots_;
  std::vector<std::vector<NodeId>> readers_;
};

bool is_view(const Node& node);      // reshape
bool is_constant(const Node& node);  // constant

// Whether `value` is computed by a node at run time, or is a view of such a value.
bool is_computed(const Graph& graph, const Aliases& aliases, Value value);

}  // namespace addax
