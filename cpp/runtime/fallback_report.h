#pragma once

#include <string>
#include <vector>

#include "runtime/placed_segments.h"

namespace addax {

// Who is told of nodes that the host computes for a device; by default they are logged. What the
// receiver throws is thrown by the compilation. A new receiver is told everything anew. Set it
// while the process is single-threaded.
void set_warning_receiver(void (*receiver)(const std::string& text));

// Tells of each refused node with its op, types, label, and bytes copied: once per op, types and
// device.
void report_fallback(const Graph& graph, const std::vector<NodeId>& refused,
                     const PlacedSegments& placed, const Device& device, const Device& host);

}  // namespace addax
