#pragma once

#include <cstdint>

#include "cpu/conv_axis.h"

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

// A convolution that treats every pixel alike has no rows: its short rows are joined, one row for
// each image.
inline ConvShape joined_rows(ConvShape shape) {
  constexpr int64_t kShortRow = 24;
  const auto pointwise = [](const ConvAxis& axis) {
    return axis.kernel == 1 && axis.stride == 1 && axis.pad_before == 0 && axis.pad_after == 0;
  };
  if (pointwise(shape.height) && pointwise(shape.width) && shape.width.in < kShortRow) {
    shape.width.in *= shape.height.in;
    shape.height.in = 1;
  }
  return shape;
}

}  // namespace addax::cpu
