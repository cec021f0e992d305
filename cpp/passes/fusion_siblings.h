#pragma once

#include <vector>

#include "passes/fusion_depths.h"
#include "passes/fusion_groups.h"

namespace addax {

// Groups that reduce over the same axes and read the same tensor become one, and reductions of a
// tensor as it is join a group that reads it, so that it is read once. Between uncut groups of one
// depth there is no path, as little as between a reduction and a group of its depth.
void join_siblings(const FusionView& view, const FusionDepths& depths,
                   std::vector<FusionGroup>& groups);

}  // namespace addax
