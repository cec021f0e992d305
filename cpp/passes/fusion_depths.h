#pragma once

#include <vector>

#include "passes/fusion_view.h"

namespace addax {

// Which nodes may share a loop. An edge along which a value may stay in a register adds nothing to
// the depth of its reader, any other edge adds one. Nodes of one depth that such edges connect can
// run as one: no path leaves them and comes back, since it would come back deeper.
//
// Depths are first the least possible; then a node whose readers are all deeper moves down to them
// if no more has to be stored than before.
class FusionDepths {
 public:
  // With `merge` false no edge is fusible.
  FusionDepths(const FusionView& view, bool merge);

  int32_t depth(NodeId id) const { return depths_[static_cast<size_t>(id)]; }

  // Whether `user` may read what `from` computes without memory in between.
  bool is_fusible(NodeId from, NodeId user) const;

  // The same, at one depth.
  bool joins(NodeId from, NodeId user) const {
    return is_fusible(from, user) && depth(from) == depth(user);
  }

 private:
  int32_t& at(NodeId id) { return depths_[static_cast<size_t>(id)]; }
  void settle_early(NodeId id);
  void settle_late(NodeId id);
  int newly_stored(NodeId id) const;

  const FusionView& view_;
  bool merge_;
  std::vector<int32_t> depths_;
};

// sum, prod, max, min: what a fused loop can reduce by.
bool is_fusible_reduction(const Node& node);

// Over which axes it can: sorted, they are the first or the last ones of `rank`.
bool is_outer_run(const Ints& axes, int rank);

}  // namespace addax
