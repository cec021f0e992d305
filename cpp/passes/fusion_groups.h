#pragma once

#include <vector>

#include "passes/fusion_view.h"

namespace addax {

// What becomes one fused loop.
struct FusionGroup {
  std::vector<NodeId> nodes;       // elementwise, in order, all of one result shape
  std::vector<NodeId> reductions;  // of results or operands of `nodes`, all over the same axes
  bool cut = false;                // from others of its depth, which it has edges to
};

inline constexpr int kMaxFusedOperations = 48;
inline constexpr size_t kMaxFusedInputs = 12;
inline constexpr size_t kMaxFusedOutputs = 8;

// Divides the live elementwise nodes, each into exactly one group; with `merge` false each into a
// group of its own. Running the groups as single nodes is acyclic.
std::vector<FusionGroup> fusion_groups(const FusionView& view, bool merge);

}  // namespace addax
