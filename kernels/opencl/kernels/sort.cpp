#include <algorithm>
#include <bit>
#include <string>

#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"
#include "opencl/lowering/view.h"
#include "ops/compute_class.h"

namespace addax::opencl {
namespace {

std::string program(const Lowering& to, const char* part, int64_t group) {
  const DType dtype = dtype_of(to.node.input(0));
  return preamble(to.limits, compute_class(dtype)) + define(part, 1) + define_group(group) +
         define("LOAD_X", "LOAD_" + std::string(name(dtype))) +
         define("DESCENDING", to.node.flag("descending") ? 1 : 0) + std::string(sources::sort);
}

}  // namespace

// Blocks are sorted in local memory; what is longer is merged by passes over all lines.
void lower_argsort(Lowering& to) {
  const Tensor& x = to.node.input(0);
  const Tensor& y = to.node.output();
  const auto axis = x.dims.begin() + to.node.integer("axis");
  const int64_t extent = *axis;
  const int64_t inner = elements(Dims(axis + 1, x.dims.end()));
  if (x.elements() == 0) return;
  const int64_t lines = x.elements() / extent;
  const auto padded = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(extent)));

  constexpr uint64_t kEntryBytes = sizeof(uint64_t) + sizeof(int32_t);
  const int64_t group = to.limits.group(padded / 2, 2 * kEntryBytes);
  const int64_t blocks = (extent + 2 * group - 1) / (2 * group);
  Launch sort_blocks(program(to, "BLOCKS", group), "sort_blocks");
  sort_blocks.extent(extent).extent(blocks).extent(inner).tensor(x).tensor(y);
  sort_blocks.over({lines * blocks * group}, {group});
  to.add(std::move(sort_blocks));

  for (int64_t size = 2 * group; size < padded; size *= 2) {
    for (int64_t distance = size; distance > 0; distance /= 2) {
      const int64_t pairs = padded / 2;
      Launch step(program(to, "STEP", group), "sort_step");
      step.extent(lines * pairs).extent(extent).extent(pairs).extent(inner);
      step.extent(distance).extent(distance == size ? 1 : 0).tensor(x).tensor(y);
      to.add_over({lines * pairs}, std::move(step));
    }
  }
}

}  // namespace addax::opencl
