#include <algorithm>

#include "null/rules.h"

namespace addax::null_device {
namespace {

Dims axes_of(const Node& node) {
  Dims axes = node.ints("axes");
  const int rank = node.input(0).rank();
  for (size_t i = 0; i < axes.size(); ++i) {
    node.require(axes[i] >= 0 && axes[i] < rank && (i == 0 || axes[i] > axes[i - 1]),
                 ADX_INVALID_ARGUMENT, "axes must ascend within [0, rank)");
  }
  return axes;
}

Type reduced(const Node& node, int32_t dtype) {
  node.expect_inputs(1);
  return {dtype, reduce_dims(node.input(0).dims, axes_of(node), node.flag("keepdims"))};
}

std::vector<Type> sum(const Node& node) {
  const int32_t dtype = node.input(0).dtype;
  return {reduced(node, dtype <= ADX_INT8 ? int32_t{ADX_INT32} : dtype)};
}

std::vector<Type> extremum(const Node& node) {
  for (const int64_t axis : axes_of(node)) {
    node.require(node.input(0).dims[static_cast<size_t>(axis)] > 0, ADX_SHAPE,
                 "a reduced extent is 0");
  }
  return {reduced(node, node.input(0).dtype)};
}

std::vector<Type> logical(const Node& node) {
  node.expect_dtype(0, ADX_BOOL);
  return {reduced(node, ADX_BOOL)};
}

std::vector<Type> floating(const Node& node) {
  node.expect_floating(0);
  return {reduced(node, node.input(0).dtype)};
}

std::vector<Type> arg_extremum(const Node& node) {
  node.expect_inputs(1);
  const int axis = node.axis("axis", node.input(0).rank());
  node.require(node.input(0).dims[static_cast<size_t>(axis)] > 0, ADX_SHAPE,
               "the extent searched is 0");
  return {{ADX_INT32, reduce_dims(node.input(0).dims, {axis}, node.flag("keepdims"))}};
}

std::vector<Type> prod_grad(const Node& node) {
  node.expect_inputs(2);
  node.expect_floating(0);
  const Type& x = node.input(0);
  node.expect_dtype(1, x.dtype);
  node.require(reduce_dims(x.dims, axes_of(node), true) == node.input(1).dims, ADX_SHAPE,
               "dy has not extent 1 in place of the reduced axes");
  return {x};
}

}  // namespace

void add_reduce_rules(Rules& rules) {
  rules["sum"] = rules["prod"] = sum;
  rules["max"] = rules["min"] = extremum;
  rules["any"] = rules["all"] = logical;
  for (const char* op : {"mean", "var", "std", "logsumexp"}) rules[op] = floating;
  rules["prod_grad"] = prod_grad;
  rules["argmax"] = rules["argmin"] = arg_extremum;
}

}  // namespace addax::null_device
