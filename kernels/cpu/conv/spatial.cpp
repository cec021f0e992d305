#include "cpu/conv/spatial.h"

namespace addax::cpu {

ConvAxis window_axis(const Node& node, int axis, int64_t extent, int64_t window) {
  const auto i = static_cast<size_t>(axis);
  const auto padding = node.ints("padding");
  ConvAxis result;
  result.in = extent;
  result.kernel = window;
  result.stride = node.ints("strides")[i];
  result.dilation = node.has("dilations") ? node.ints("dilations")[i] : 1;
  result.pad_before = padding[2 * i];
  result.pad_after = padding[2 * i + 1];
  return result;
}

ConvShape conv_shape(const Node& node, const Shape& x, const Shape& filter) {
  ConvShape shape;
  shape.batch = x[0];
  shape.height = window_axis(node, 0, x[1], filter[0]);
  shape.width = window_axis(node, 1, x[2], filter[1]);
  shape.in_channels = x[3];
  shape.out_channels = filter[3];
  shape.groups = node.integer("groups", 1);
  return shape;
}

PoolShape pool_shape(const Node& node, const Shape& x) {
  const auto size = node.ints("pool_size");
  return {x[0], window_axis(node, 0, x[1], size[0]), window_axis(node, 1, x[2], size[1]), x[3]};
}

}  // namespace addax::cpu
