#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace addax::opencl {

// What the device says of itself that kernels depend on.
struct Limits {
  bool has_double = false;
  bool divides_exactly = false;  // float32 quotients and roots can be had correctly rounded
  int64_t work_group = 1;        // items of the largest one, a power of 2
  std::array<size_t, 3> axis_items = {1, 1, 1};  // of a work-group along each axis
  uint64_t local_bytes = 0;
  uint64_t largest_allocation = UINT64_MAX;
  uint64_t parameter_bytes = 0;  // of one kernel's arguments
  bool is_cpu = false;           // a processor's cores: local memory is memory like any other
  int64_t compute_units = 1;
  int64_t vector_bytes = 4;  // of its own vector registers

  // Items of a work-group that shares `bytes` of local memory for each of them: a power of 2 up to
  // `most`, which is one. A single item shares nothing and needs none.
  int64_t group(int64_t most, uint64_t bytes) const {
    const auto fitting = static_cast<int64_t>(std::bit_floor(local_bytes / bytes));
    return std::max<int64_t>(std::min({most, work_group, fitting}), 1);
  }
};

// What the driver says of a kernel that is built.
struct KernelLimits {
  size_t work_group;     // items of the largest one
  uint64_t local_bytes;  // that a work-group takes
};

}  // namespace addax::opencl
