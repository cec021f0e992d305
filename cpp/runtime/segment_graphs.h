#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/partition.h"

namespace addax {

// Memory that lasts beyond a segment: an input, a state (its old value and then its next one), an
// output, or a value that one segment computes and another reads.
struct Slot {
  enum class Kind : uint8_t { Input, State, Output, Crossing };
  Kind kind = Kind::Crossing;
  uint64_t bytes = 0;
};

// A segment as a graph of its own. Its inputs, states and outputs are slots.
struct SegmentGraph {
  Graph graph;
  std::vector<int32_t> inputs;
  std::vector<int32_t> states;
  std::vector<int32_t> outputs;
};

struct SegmentGraphs {
  std::vector<Slot> slots;       // first those of the graph's inputs, states and outputs, in order
  std::vector<int32_t> slot_of;  // by value of the whole graph; kNone for what stays in a segment
  std::vector<SegmentGraph> segments;
};

// The segments of a graph that went through `materialize`. Constants and views are copied into each
// segment that reads them.
SegmentGraphs segment_graphs(const Graph& graph, const std::vector<Segment>& segments);

}  // namespace addax
