#pragma once

#include <string>
#include <vector>

#include "passes/pass.h"

namespace addax {

// The nodes of an optimized graph that the device refuses, in order: what decomposition left.
std::vector<NodeId> refused_nodes(const Graph& graph, const PassTarget& target);

// "(f32[2,3], f32[3]) -> f32[2,3]".
std::string describe_types(const Graph& graph, const Node& node);
// ", in 'head'": the layer that the node came from, or nothing.
std::string describe_label(const Node& node);

}  // namespace addax
