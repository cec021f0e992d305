#include "ops/axes.h"

#include <algorithm>
#include <numeric>

namespace addax {

Shape reduced_shape(const Shape& shape, const Ints& axes, bool keepdims) {
  Ints dims;
  for (int i = 0; i < shape.rank(); ++i) {
    const bool reduced = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!reduced) {
      dims.push_back(shape[i]);
    } else if (keepdims) {
      dims.push_back(1);
    }
  }
  return Shape(dims);
}

int64_t reduced_count(const Shape& shape, const Ints& axes) {
  int64_t count = 1;
  for (int64_t axis : axes) count *= shape[static_cast<int>(axis)];
  return count;
}

Ints leading_axes(const Shape& shape) {
  Ints axes(static_cast<size_t>(std::max(shape.rank() - 1, 0)));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Shape with_extent(const Shape& shape, int axis, int64_t extent) {
  Ints dims = to_ints(shape);
  dims[static_cast<size_t>(axis)] = extent;
  return Shape(dims);
}

Ints to_ints(const Shape& shape) { return Ints(shape.begin(), shape.end()); }

}  // namespace addax
