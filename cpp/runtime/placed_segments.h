#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/compiled_graph.h"
#include "runtime/segment_graphs.h"

namespace addax {

// A segment, compiled. Slots are numbers of PlacedSegments::slots.
struct PlacedSegment {
  bool on_host = false;
  bool checks_values = false;  // a check of values may fail
  bool overwrites_states = false;
  std::unique_ptr<const Graph> graph;
  std::unique_ptr<const CompiledGraph> compiled;
  std::vector<int32_t> bindings;  // slots
  std::vector<int32_t> copied;    // slots written here that the other side reads
};

// A slot, and which side has memory for it.
struct PlacedSlot {
  Slot::Kind kind;
  uint64_t bytes;
  bool on_device = false;
  bool on_host = false;
  bool copied_each_step = false;
  bool copied_at_entry = false;  // to the host, before the first step
  bool copied_at_exit = false;   // to the device, after the last step
};

// A graph whose nodes run on a device and on the host's.
struct PlacedSegments {
  std::vector<PlacedSlot> slots;  // first those of the graph's inputs, states and outputs, in order
  std::vector<int32_t> slot_of;   // by value of the graph; kNone for what stays in a segment
  std::vector<PlacedSegment> segments;  // in the order of execution
};

// Cuts an optimized graph, in which `refused` are the nodes for the host, and compiles the parts.
// UnsupportedError for a node that neither device takes.
PlacedSegments place_segments(const Graph& graph, const std::vector<NodeId>& refused,
                              Device& device, Device& host);

}  // namespace addax
