#include <string>

#include "opencl/kernel_table.h"
#include "opencl/render.h"
#include "opencl/sources.h"
#include "opencl/window.h"
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

std::string program(const Lowering& to, const char* part) {
  const DType dtype = dtype_of(to.node.output());
  const std::string name(addax::name(dtype));
  std::string text = preamble(to.limits, compute_class(dtype)) + define(part, 1);
  if (to.node.op().starts_with("max")) text += define("MAX", 1);
  return text + define("LOAD_X", "LOAD_" + name) + define("STORE_X", "STORE_" + name) +
         std::string(sources::window) + std::string(sources::pool);
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
  launch.extent(y.elements()).value(geometry_of(to.node, x.dims, y.dims)).tensor(x).tensor(y);
  to.add_over({y.elements()}, std::move(launch));
}

// max_pool2d_grad(x, dy) and avg_pool2d_grad(dy), which does not read x.
void lower_pool_grad(Lowering& to) {
  require_floating(to);
  const Tensor& x = to.node.input(0);
  const Tensor& dy = to.node.inputs().back();
  const Tensor& dx = to.node.output();
  Launch launch(program(to, "GRADIENT"), "pool_grad");
  launch.extent(dx.elements()).value(geometry_of(to.node, dx.dims, dy.dims));
  launch.tensor(x).tensor(dy).tensor(dx);
  to.add_over({dx.elements()}, std::move(launch));
}

}  // namespace addax::opencl
