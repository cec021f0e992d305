#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace addax {

// Where a value lives while the program runs.
struct Placement {
  enum class Kind : uint8_t { Arena, Input, State, Output, Constant };
  Kind kind = Kind::Arena;
  // Input, State, Output: position among the graph's inputs, states, outputs, which is also the
  // position of the buffer bound for it. Constant: id of the `constant` node. Arena: 0.
  int32_t index = 0;
  uint64_t offset = 0;  // Arena: bytes from its start; else 0

  bool operator==(const Placement&) const = default;
};

struct MemoryPlan {
  std::vector<Placement> values;  // by value id
  uint64_t arena_bytes = 0;
};

// Gives every value of a graph that went through `materialize` its place, for execution in node
// order, step after step. Nodes `reshape` and `constant` do not execute: a reshape's result lies
// where its input lies. Outputs are computed straight into their buffers, next values into their
// state's buffer. Everything else shares one arena by lifetimes; offsets are multiples of
// `alignment`. A node's output may lie over one of its inputs only where `may_overwrite` in
// aliasing.h allows it: elementwise ops must read an element of all inputs before they write it.
// Throws InternalError when the graph was not materialized.
MemoryPlan plan_memory(const Graph& graph, uint64_t alignment);

}  // namespace addax
