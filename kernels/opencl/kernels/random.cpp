#include <cmath>

#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"
#include "ops/compute_class.h"

namespace addax::opencl {
namespace {

constexpr int64_t kWords = 4;  // of a Philox block

std::string program(const Lowering& to, const char* part, DType compute) {
  return preamble(to.limits, compute) + define(part, 1) +
         define("STORE_Y", "STORE_" + std::string(name(dtype_of(to.node.output())))) +
         std::string(sources::random);
}

// Launches of `draw`, an item for each block, and of what moves the state on.
void add_draws(Lowering& to, Launch draw) {
  const Tensor& state = to.node.input(0);
  const int64_t blocks = (to.node.output(0).elements() + kWords - 1) / kWords;
  Launch advance(draw.source(), "advance");
  advance.extent(blocks).tensor(state).tensor(to.node.output(1)).over({1}, {1});
  draw.tensor(state).tensor(to.node.output(0));
  to.add_over({blocks}, std::move(draw));
  to.add(std::move(advance));
}

template <class T>
void add_uniform(Lowering& to, DType compute) {
  const T low = static_cast<T>(to.node.number("minval"));
  const T span = static_cast<T>(to.node.number("maxval")) - low;
  Launch draw(program(to, "UNIFORM", compute), "draw_uniform");
  draw.extent(to.node.output(0).elements()).value(low).value(span);
  add_draws(to, std::move(draw));
}

}  // namespace

void lower_random_uniform(Lowering& to) {
  const DType compute = compute_class(dtype_of(to.node.output()));
  if (compute == DType::Float64) {
    add_uniform<double>(to, compute);
  } else {
    add_uniform<float>(to, compute);
  }
}

void lower_random_normal(Lowering& to) {
  to.require(to.limits.has_double, "needs float64, which the device has not");
  const double beyond = to.node.flag("truncated") ? 0.5 * std::erfc(std::sqrt(2.0)) : 0.0;
  Launch draw(program(to, "NORMAL", DType::Float64), "draw_normal");
  draw.extent(to.node.output(0).elements());
  draw.value(to.node.number("mean")).value(to.node.number("stddev")).value(beyond);
  add_draws(to, std::move(draw));
}

void lower_batch_indices(Lowering& to) {
  const Node& node = to.node;
  const int64_t n = node.integer("n");
  const int64_t batch = node.integer("batch");
  int32_t half_bits = 0;
  while (half_bits < 31 && (int64_t{1} << (2 * half_bits)) < n) ++half_bits;
  const std::string source = program(to, "BATCH_INDICES", DType::Int64);
  Launch check(source, "check_batch");
  check.step_number().value(to.index).value(n).extent(batch).tensor(node.input(0));
  check.over({batch == 0 ? 0 : 1}, {1});
  to.add(std::move(check));
  Launch launch(source, "batch_indices");
  launch.value(n).extent(batch).value(half_bits).extent(node.flag("shuffle") ? 1 : 0);
  launch.tensor(node.input(0)).tensor(node.input(1)).tensor(node.output());
  to.add_over({batch}, std::move(launch));
}

}  // namespace addax::opencl
