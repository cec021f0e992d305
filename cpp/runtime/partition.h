#pragma once

#include <vector>

#include "graph/graph.h"

namespace addax {

// Nodes that one device runs, one after the other.
struct Segment {
  bool on_host = false;
  std::vector<NodeId> nodes;
};

// Cuts an optimized graph whose nodes belong to two devices into few segments: what is ready on one
// device runs before the other takes over. Whoever overwrites a state comes after those who read
// the old value. Views and constants, which do not run, are in no segment.
//
// With `overlap`, what the host waits for becomes a segment of its own before the rest of what the
// device can do, so that it may be copied, and the host may go on, while the device does the rest.
std::vector<Segment> partition(const Graph& graph, const std::vector<bool>& on_host, bool overlap);

}  // namespace addax
