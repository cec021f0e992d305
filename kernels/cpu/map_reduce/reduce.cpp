#include <algorithm>
#include <string>
#include <vector>

#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/map_reduce.h"

namespace addax::cpu {
namespace {

// `any` and `all` are extremes of truth values.
ReduceKind kind_of(std::string_view op) {
  if (op == "max" || op == "any") return ReduceKind::Max;
  if (op == "min" || op == "all") return ReduceKind::Min;
  return op == "prod" ? ReduceKind::Prod : ReduceKind::Sum;
}

// The axes of the domain: kept ones outside, reduced ones inside; but when the last axis is kept it
// stays innermost, so that memory is read along it.
struct Order {
  std::vector<int> axes;
  int64_t batch = 1;
  int64_t reduced = 1;
  int64_t last = 1;
};

Order order_axes(const Shape& shape, const std::vector<int64_t>& reduced_axes) {
  Order order;
  std::vector<int> reduced, last;
  const auto is_reduced = [&](int axis) {
    return std::find(reduced_axes.begin(), reduced_axes.end(), axis) != reduced_axes.end();
  };
  int tail = shape.rank();
  while (tail > 0 && !is_reduced(tail - 1)) --tail;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (is_reduced(axis)) {
      reduced.push_back(axis);
      order.reduced *= shape[axis];
    } else if (axis >= tail) {
      last.push_back(axis);
      order.last *= shape[axis];
    } else {
      order.axes.push_back(axis);
      order.batch *= shape[axis];
    }
  }
  order.axes.insert(order.axes.end(), reduced.begin(), reduced.end());
  order.axes.insert(order.axes.end(), last.begin(), last.end());
  return order;
}

}  // namespace

bool accepts_reduce(const Node& node) { return node.has("axes"); }

KernelPtr make_reduce(const Node& node) {
  const Tensor& x = node.input(0);
  const Order order = order_axes(x.shape, node.ints("axes"));
  const bool truth = node.op() == "any" || node.op() == "all";
  MapReduceSpec spec;
  const std::vector<std::string> names = {"i0"};
  spec.expr = ScalarExpr::parse(truth ? "i0 != 0" : "i0", names);
  const DType dtypes[] = {x.dtype, node.output().dtype};
  spec.compute = class_of(truth ? std::span(dtypes).first(1) : std::span(dtypes));
  spec.inputs = {{x, permute(broadcast_view(x.shape, x.shape), order.axes)}};
  spec.outputs = {node.output()};
  spec.reductions = {kind_of(node.op())};
  if (order.last == 1) {
    spec.form = MapReduceSpec::Form::Rows;
    spec.rows = order.batch;
    spec.cols = order.reduced;
  } else {
    spec.form = MapReduceSpec::Form::Columns;
    spec.batch = order.batch;
    spec.rows = order.reduced;
    spec.cols = order.last;
  }
  return make_map_reduce(std::move(spec));
}

}  // namespace addax::cpu
