#pragma once

#include <array>

#include "ops/op_def.h"

namespace addax {

// A window that slides over the two middle axes of an [N, H, W, C] tensor. Index 0 is the height.
struct Window {
  std::array<int64_t, 2> size;
  std::array<int64_t, 2> strides;
  std::array<int64_t, 2> dilations = {1, 1};
  std::array<int64_t, 2> low;   // padding before: top, left
  std::array<int64_t, 2> high;  // padding after: bottom, right

  // Whether a byte can number the positions in the window, of which there are so many at most.
  static constexpr int64_t kMostPositions = 256;
  bool is_numbered_by_bytes() const {
    return size[0] <= kMostPositions && size[1] <= kMostPositions / size[0];
  }
  // Distance from a window's first to behind its last element.
  int64_t reach(size_t axis) const { return (size[axis] - 1) * dilations[axis] + 1; }
  bool is_padded() const { return low[0] != 0 || low[1] != 0 || high[0] != 0 || high[1] != 0; }
};

// {"strides", "padding"} and, for convolutions, {"dilations"} of the call.
Window make_window(const OpCall& call, std::array<int64_t, 2> size);
Window make_window(const Attrs& attrs, std::array<int64_t, 2> size);

// The shape of [N, H, W, C] with one element per window position. Throws ShapeError when the window
// does not fit into the padded input.
Shape windows_shape(const OpCall& call, const Shape& input, const Window& window);

// The input with the window's padding around it.
Value pad_for(Emitter& emit, Value x, const Window& window, double fill);

// From the padded input, the elements that lie at (row, column) of each of the windows, which are
// `windows` in number along height and width.
Value take_tap(Emitter& emit, Value padded, const Window& window, std::array<int64_t, 2> windows,
               int64_t row, int64_t column);

// The reverse: a tensor of the unpadded input's shape in which each window's element stands where
// (row, column) of that window lies, zeros elsewhere.
Value put_tap(Emitter& emit, Value elements, const Window& window, const Shape& input, int64_t row,
              int64_t column);

}  // namespace addax
