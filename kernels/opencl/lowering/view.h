#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "addax/device.h"

namespace addax::opencl {

using Dims = std::vector<int64_t>;

// A tensor seen through steps (in elements, outermost axis first) over the extents of a domain: 0
// repeats, negative runs backwards.
struct View {
  Dims dims;
  Dims steps;
  int64_t offset = 0;

  bool is_dense() const;    // row-major
  bool is_uniform() const;  // one element, repeated
};

int64_t elements(const Dims& dims);

View dense_view(const Dims& dims);
// `dims` broadcast to `domain`, which it fits.
View broadcast_view(const Dims& dims, const Dims& domain);
// The axes in another order.
View permute(const View& view, const std::vector<int>& axes);
// Merges neighbouring axes where one step walks both in all views, and drops those of extent 1. The
// views have the same extents.
void collapse(std::vector<View*> views);
// The same within runs of axes: `ends` are where the runs end, before and afterwards.
void collapse_runs(const std::vector<View*>& views, std::vector<size_t>& ends);

// As types.cl has them: passed to kernels by value.
struct ClDomain {
  std::array<int32_t, ADX_MAX_RANK> dims;
  int32_t rank;
};
struct ClSteps {
  std::array<int32_t, ADX_MAX_RANK> steps;
  int32_t offset;
};

ClDomain cl_domain(const View& view);
ClSteps cl_steps(const View& view);

}  // namespace addax::opencl
