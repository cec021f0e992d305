#pragma once

#include "cpu/conv.h"

namespace addax::cpu {

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
