#include <algorithm>

#include "opencl/contraction/contraction.h"
#include "opencl/kernels/window.h"
#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"

namespace addax::opencl {
namespace {

// As conv.cl has it.
struct Geometry {
  WindowAxis height, width;
  int32_t in_channels, out_channels, in_per_group, out_per_group;
};

Geometry geometry_of(const Node& node, const Dims& x, const Dims& filter, const Dims& y) {
  const auto groups = node.integer("groups");
  const auto dilations = node.ints("dilations");
  return {window_axis(node, 0, x[1], y[1], filter[0], dilations[0]),
          window_axis(node, 1, x[2], y[2], filter[1], dilations[1]),
          static_cast<int32_t>(x[3]),
          static_cast<int32_t>(y[3]),
          static_cast<int32_t>(filter[2]),
          static_cast<int32_t>(y[3] / groups)};
}

int64_t pixels(const Dims& images) { return images[0] * images[1] * images[2]; }
int64_t taps(const Dims& filter) { return filter[0] * filter[1]; }

void require_one_dtype(const Lowering& to) {
  to.require(to.node.input(0).dtype == to.node.input(1).dtype, "takes operands of one dtype");
}

bool is_padded(const Node& node) {
  const auto padding = node.ints("padding");
  return std::any_of(padding.begin(), padding.end(), [](int64_t zeros) { return zeros != 0; });
}

std::string loaders(const Node& node, const char* direction) {
  return define(direction, 1) + (is_padded(node) ? define("PADDED", 1) : "") +
         std::string(sources::window) + std::string(sources::conv);
}

}  // namespace

void lower_conv2d(Lowering& to) {
  require_one_dtype(to);
  const Node& node = to.node;
  const Dims& filter = node.input(1).dims;
  const Dims& y = node.output().dims;
  const Geometry geometry = geometry_of(node, node.input(0).dims, filter, y);
  Contraction contraction;
  contraction.batch = node.integer("groups");
  contraction.m = pixels(y);
  contraction.n = geometry.out_per_group;
  contraction.k = taps(filter) * filter[2];
  contraction.y_batch = geometry.out_per_group;
  contraction.y_row = y[3];
  contraction.loaders = loaders(node, "FORWARD");
  contraction.run = contraction.a_span = filter[2];
  contraction.b_span = contraction.n;
  add_contraction(to, contraction, geometry);
}

void lower_conv2d_input_grad(Lowering& to) {
  require_one_dtype(to);
  const Node& node = to.node;
  const Dims& filter = node.input(1).dims;
  const Dims& x = node.output().dims;
  const Geometry geometry = geometry_of(node, x, filter, node.input(0).dims);
  Contraction contraction;
  contraction.batch = node.integer("groups");
  contraction.m = pixels(x);
  contraction.n = geometry.in_per_group;
  contraction.k = taps(filter) * geometry.out_per_group;
  contraction.y_batch = geometry.in_per_group;
  contraction.y_row = x[3];
  contraction.loaders = loaders(node, "BY_INPUT");
  contraction.b_rows_first = true;
  contraction.run = contraction.a_span = contraction.b_span = geometry.out_per_group;
  add_contraction(to, contraction, geometry);
}

void lower_conv2d_filter_grad(Lowering& to) {
  require_one_dtype(to);
  const Node& node = to.node;
  const Dims& filter = node.output().dims;
  const Dims& dy = node.input(1).dims;
  const Geometry geometry = geometry_of(node, node.input(0).dims, filter, dy);
  Contraction contraction;
  contraction.batch = node.integer("groups");
  contraction.m = taps(filter) * filter[2];
  contraction.n = geometry.out_per_group;
  contraction.k = pixels(dy);
  contraction.y_batch = geometry.out_per_group;
  contraction.y_row = filter[3];
  contraction.loaders = loaders(node, "BY_FILTER");
  contraction.a_rows_first = true;
  contraction.run = is_padded(node) ? 1 : dy[2];
  contraction.a_span = filter[2];
  contraction.b_span = contraction.n;
  add_contraction(to, contraction, geometry);
}

}  // namespace addax::opencl
