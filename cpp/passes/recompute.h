#pragma once

#include "graph/graph.h"

namespace addax {

// Copies cheap elementwise nodes to readers that cannot share a loop with them, where a value would
// otherwise be stored for those readers only, although they can compute it again from one tensor of
// its size. Fusion then has one tensor less to write. Returns whether anything changed.
bool recompute_cheap_values(Graph& graph);

}  // namespace addax
