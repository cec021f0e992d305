#include <algorithm>
#include <string>
#include <vector>

#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/map_reduce/map_reduce.h"
#include "ops/compute_class.h"

namespace addax::opencl {
namespace {

// `any` and `all` are extremes of truth values.
std::string fold_of(const std::string& op) {
  if (op == "max" || op == "any") return "max";
  if (op == "min" || op == "all") return "min";
  return op;
}

}  // namespace

// The domain's axes: kept ones outside, then the reduced ones; but kept ones that come last stay
// last, so that neighbouring items read neighbouring elements.
void lower_reduce(Lowering& to) {
  const Node& node = to.node;
  const Tensor& x = node.input(0);
  const auto axes = node.ints("axes");
  const auto is_reduced = [&](int axis) {
    return std::find(axes.begin(), axes.end(), axis) != axes.end();
  };
  const int rank = x.rank();
  int tail = rank;
  while (tail > 0 && !is_reduced(tail - 1)) --tail;

  MapReduce loop;
  std::vector<int> order, reduced, last;
  for (int axis = 0; axis < rank; ++axis) {
    const int64_t extent = x.dims[static_cast<size_t>(axis)];
    if (is_reduced(axis)) {
      reduced.push_back(axis);
      loop.extents.reduced *= extent;
    } else if (axis >= tail) {
      last.push_back(axis);
      loop.extents.inner *= extent;
    } else {
      order.push_back(axis);
      loop.extents.outer *= extent;
    }
  }
  order.insert(order.end(), reduced.begin(), reduced.end());
  order.insert(order.end(), last.begin(), last.end());

  const bool truth = node.op() == "any" || node.op() == "all";
  loop.expr = ScalarExpr::parse_canonical(truth ? "i0 != 0" : "i0", 1);
  loop.compute =
      truth ? compute_class(dtype_of(x)) : cast_class(dtype_of(x), dtype_of(node.output()));
  loop.inputs = {{x, permute(dense_view(x.dims), order)}};
  loop.outputs = {{node.output(), fold_of(node.op())}};
  add_map_reduce(to, std::move(loop));
}

}  // namespace addax::opencl
