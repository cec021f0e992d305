#pragma once

#include "cpu/conv/conv.h"
#include "cpu/lowering/node.h"
#include "cpu/pool/pool.h"

namespace addax::cpu {

// The window of a node along height and width, from its attributes `strides`, `padding` and, where
// the op has them, `dilations`, for an image and a window of these extents.
ConvAxis window_axis(const Node& node, int axis, int64_t extent, int64_t window);

// The convolution that `x` and `filter`, shapes in the order of ConvShape, make with the node's
// attributes.
ConvShape conv_shape(const Node& node, const Shape& x, const Shape& filter);

// The pooling of an image of shape `x`.
PoolShape pool_shape(const Node& node, const Shape& x);

}  // namespace addax::cpu
