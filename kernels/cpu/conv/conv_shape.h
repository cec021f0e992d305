#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/conv/conv_axis.h"

namespace addax::cpu {

// A 2-D convolution (cross-correlation) of dense tensors:
//   x  [batch, height.in, width.in, in_channels]
//   w  [height.kernel, width.kernel, in_channels / groups, out_channels]
//   y  [batch, height.out(), width.out(), out_channels]
// Group g reads the g-th share of the input channels and writes the g-th share of the output
// channels; both counts are multiples of `groups`.
struct ConvShape {
  int64_t batch = 1;
  ConvAxis height;
  ConvAxis width;
  int64_t in_channels = 1;
  int64_t out_channels = 1;
  int64_t groups = 1;
};

// Elements of one image of x and of y.
inline int64_t input_size(const ConvShape& shape) {
  return shape.height.in * shape.width.in * shape.in_channels;
}
inline int64_t output_size(const ConvShape& shape) {
  return shape.height.out() * shape.width.out() * shape.out_channels;
}

// Whether every pixel is treated alike, so that neither rows nor images matter.
inline bool is_pointwise(const ConvShape& shape) {
  const auto pointwise = [](const ConvAxis& axis) {
    return axis.kernel == 1 && axis.stride == 1 && axis.pad_before == 0 && axis.pad_after == 0;
  };
  return pointwise(shape.height) && pointwise(shape.width);
}

// A pointwise convolution has no rows: its short rows are joined, one row for each image.
inline ConvShape joined_rows(ConvShape shape) {
  constexpr int64_t kShortRow = 24;
  if (is_pointwise(shape) && shape.width.in < kShortRow) {
    shape.width.in *= shape.height.in;
    shape.height.in = 1;
  }
  return shape;
}

// Neither has it images: as many as together are still a short row are joined, too.
inline ConvShape joined_images(const ConvShape& shape) {
  constexpr int64_t kLongRow = 128;
  ConvShape joined = joined_rows(shape);
  if (!is_pointwise(joined) || joined.height.in != 1 || joined.width.in == 0) return joined;
  int64_t images =
      std::clamp<int64_t>(kLongRow / joined.width.in, 1, std::max<int64_t>(1, joined.batch));
  while (joined.batch % images != 0) --images;
  joined.batch /= images;
  joined.width.in *= images;
  return joined;
}

}  // namespace addax::cpu
