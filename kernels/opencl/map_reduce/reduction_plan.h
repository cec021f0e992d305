#pragma once

#include <cstdint>

#include "opencl/device.h"

namespace addax::opencl {

// A domain whose middle axis is folded.
struct Extents {
  int64_t outer = 1;
  int64_t reduced = 1;
  int64_t inner = 1;

  int64_t results() const { return outer * inner; }
  int64_t elements() const { return outer * reduced * inner; }
};

// How a reduction is cut: by its extents and the device's limits, so that its sums are always
// formed alike.
struct ReductionPlan {
  bool by_rows = false;  // neighbouring elements are on the middle axis, not on the inner one
  int64_t width = 1;     // neighbouring elements that an item takes at a time
  int64_t lanes = 1;     // items of a work-group that share the middle axis: a power of 2
  int64_t columns = 1;   // items of a work-group that have results of their own
  int64_t splits = 1;    // work-groups that share the middle axis, whose results are folded again
  int64_t share = 0;     // of the middle axis, that each of them has

  // Of the middle axis, that an item passes at a time.
  int64_t step() const { return by_rows ? width : 1; }
  // That an item has.
  int64_t results() const { return by_rows ? 1 : width; }
};

// `bytes` are those of what is folded, for one element.
ReductionPlan plan_reduction(const Limits& limits, const Extents& extents, uint64_t bytes);

}  // namespace addax::opencl
