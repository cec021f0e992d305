#pragma once

#include <cstdint>

#include "opencl/lowering/lowering.h"
#include "opencl/lowering/view.h"

namespace addax::opencl {

// One axis of a window that slides over an input; as window.cl has it.
struct WindowAxis {
  int32_t in, out, size, stride, dilation, low;
};

// Axis 0 is the height. `dilations` are 1 where the node has none.
inline WindowAxis window_axis(const Node& node, size_t axis, int64_t in, int64_t out, int64_t size,
                              int64_t dilation) {
  return {static_cast<int32_t>(in),       static_cast<int32_t>(out),
          static_cast<int32_t>(size),     static_cast<int32_t>(node.ints("strides")[axis]),
          static_cast<int32_t>(dilation), static_cast<int32_t>(node.ints("padding")[2 * axis])};
}

}  // namespace addax::opencl
