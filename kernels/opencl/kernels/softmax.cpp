#include <bit>
#include <string>

#include "opencl/kernels/gather.h"
#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"
#include "opencl/lowering/view.h"
#include "ops/compute_class.h"

namespace addax::opencl {
namespace {

// Items that share a line.
int64_t group_size(const Lowering& to, int64_t extent) {
  constexpr uint64_t kArrays = 2;  // maxima and sums
  const auto covering = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(extent)));
  const DType compute = compute_class(dtype_of(to.node.input(0)));
  return to.limits.group(covering / 2, kArrays * size_of(compute));
}

std::string program(const Lowering& to, const char* part, int64_t extent,
                    const std::string& definitions) {
  const DType compute = compute_class(dtype_of(to.node.input(0)));
  return preamble(to.limits, compute) + std::string(sources::scalar_ops) + define(part, 1) +
         define_group(group_size(to, extent)) +
         define("LOAD_X", "LOAD_" + std::string(name(dtype_of(to.node.input(0))))) +
         define("STORE_Y", "STORE_" + std::string(name(dtype_of(to.node.output())))) + definitions +
         std::string(sources::softmax);
}

void add_over_lines(Lowering& to, int64_t lines, int64_t extent, Launch launch) {
  const int64_t group = group_size(to, extent);
  launch.over({lines * group}, {group});
  to.add(std::move(launch));
}

// The loss (logits, labels) or its gradient (logits, labels, dloss).
void lower_labelled(Lowering& to, const char* part, const char* kernel) {
  const Node& node = to.node;
  const Tensor& labels = node.input(1);
  const int64_t extent = node.input(0).dims.back();
  add_check(to, labels, 0, extent);
  std::string definitions = define("LOAD_LABEL", "LOAD_" + std::string(name(dtype_of(labels))));
  if (node.inputs().size() == 3) {
    definitions += define("LOAD_WEIGHT", "LOAD_" + std::string(name(dtype_of(node.input(2)))));
  }
  Launch launch(program(to, part, extent, definitions), kernel);
  launch.extent(extent).extent(1);
  for (const Tensor& input : node.inputs()) launch.tensor(input);
  launch.tensor(node.output());
  add_over_lines(to, labels.elements(), extent, std::move(launch));
}

}  // namespace

void lower_softmax(Lowering& to) {
  const Tensor& x = to.node.input(0);
  const auto axis = static_cast<size_t>(to.node.integer("axis"));
  const int64_t extent = x.dims[axis];
  const int64_t inner =
      elements(Dims(x.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.dims.end()));
  const std::string logarithm = to.node.op() == "log_softmax" ? "1" : "0";
  Launch launch(program(to, "SOFTMAX", extent, define("LOGARITHM", logarithm)), "softmax");
  launch.extent(extent).extent(inner).tensor(x).tensor(to.node.output());
  add_over_lines(to, x.elements() / extent, extent, std::move(launch));
}

void lower_cross_entropy(Lowering& to) { lower_labelled(to, "CROSS_ENTROPY", "cross_entropy"); }

void lower_cross_entropy_grad(Lowering& to) {
  lower_labelled(to, "CROSS_ENTROPY_GRAD", "cross_entropy_grad");
}

}  // namespace addax::opencl
