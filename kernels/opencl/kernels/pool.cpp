#include <numeric>
#include <string>

#include "opencl/kernels/window.h"
#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"
#include "ops/compute_class.h"

namespace addax::opencl {
namespace {

// As pool.cl has it.
struct Geometry {
  WindowAxis height, width;
  int32_t channels;
};

Geometry geometry_of(const Node& node, const Dims& x, const Dims& y) {
  const auto size = node.ints("pool_size");
  return {window_axis(node, 0, x[1], y[1], size[0], 1),
          window_axis(node, 1, x[2], y[2], size[1], 1), static_cast<int32_t>(x[3])};
}

// Channels that an item takes: as many as divide them, where they lie as they are computed with.
int64_t width_of(const Tensor& images) {
  const DType dtype = dtype_of(images);
  if (dtype != compute_class(dtype)) return 1;
  return std::gcd(images.dims[3], int64_t{16});
}

std::string program(const Lowering& to, const char* part) {
  const Tensor& images = to.node.output();
  const DType dtype = dtype_of(images);
  const std::string name(addax::name(dtype));
  std::string text = preamble(to.limits, compute_class(dtype)) + define(part, 1);
  text += define("WIDTH", width_of(images));
  text += define("POSITION", dtype == DType::Float64 ? "long" : "int");
  if (to.node.op().starts_with("max")) text += define("MAX", 1);
  if (to.node.op().starts_with("max_pool2d_argmax")) text += define("ARGMAX", 1);
  return text + define("LOAD_X", "LOAD_" + name) + define("STORE_X", "STORE_" + name) +
         std::string(sources::window) + std::string(sources::pool);
}

// Items over the channels, columns, and rows of all images of what is made.
void add_over_pixels(Lowering& to, Launch launch) {
  const Tensor& images = to.node.output();
  const Dims& dims = images.dims;
  to.add_over({dims[3] / width_of(images), dims[2], dims[0] * dims[1]}, std::move(launch));
}

void require_floating(const Lowering& to) {
  to.require(is_floating(dtype_of(to.node.output())), "pools floating tensors");
}

}  // namespace

void lower_pool(Lowering& to) {
  require_floating(to);
  const Tensor& x = to.node.input(0);
  const Tensor& y = to.node.output();
  Launch launch(program(to, "FORWARD"), "pool");
  launch.extent(x.dims[0]).value(geometry_of(to.node, x.dims, y.dims)).tensor(x);
  for (const Tensor& output : to.node.outputs()) launch.tensor(output);
  add_over_pixels(to, std::move(launch));
}

// max_pool2d_grad(x, dy), max_pool2d_argmax_grad(dy, argmax), and avg_pool2d_grad(dy), which
// chooses nothing.
void lower_pool_grad(Lowering& to) {
  require_floating(to);
  const bool images_first = to.node.op() == "max_pool2d_grad";
  const Tensor& chosen = images_first ? to.node.input(0) : to.node.inputs().back();
  const Tensor& dy = to.node.input(images_first ? 1 : 0);
  const Tensor& dx = to.node.output();
  Launch launch(program(to, "GRADIENT"), "pool_grad");
  launch.extent(dx.dims[0]).value(geometry_of(to.node, dx.dims, dy.dims));
  launch.tensor(chosen).tensor(dy).tensor(dx);
  add_over_pixels(to, std::move(launch));
}

}  // namespace addax::opencl
