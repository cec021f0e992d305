#include "null/rules.h"

namespace addax::null_device {
namespace {

std::vector<Type> sort(const Node& node) {
  node.expect_inputs(1);
  node.axis("axis", node.input(0).rank());
  return {node.input(0)};
}

std::vector<Type> argsort(const Node& node) {
  node.flag("descending");
  return {{ADX_INT32, sort(node)[0].dims}};
}

// Of scores whose last axis has at least `k` elements.
int64_t checked_k(const Node& node, const Type& scores) {
  const int64_t k = node.integer("k");
  node.require(scores.rank() >= 1, ADX_SHAPE, "a scalar has no largest elements");
  node.require(k >= 1 && k <= scores.dims.back(), ADX_INVALID_ARGUMENT,
               "k is no number of elements of the last axis");
  return k;
}

std::vector<Type> top_k(const Node& node) {
  node.expect_inputs(1);
  node.flag("sorted");
  const Type& x = node.input(0);
  const int64_t k = checked_k(node, x);
  Dims dims = x.dims;
  dims.back() = k;
  return {{x.dtype, dims}, {ADX_INT32, dims}};
}

std::vector<Type> in_top_k(const Node& node) {
  node.expect_inputs(2);
  node.expect_integer(0);
  checked_k(node, node.input(1));
  Dims dims = node.input(1).dims;
  dims.pop_back();
  node.require(dims == node.input(0).dims, ADX_SHAPE, "there is not one target for each line");
  return {{ADX_BOOL, dims}};
}

}  // namespace

void add_sort_rules(Rules& rules) {
  rules["sort"] = sort;
  rules["argsort"] = argsort;
  rules["top_k"] = top_k;
  rules["in_top_k"] = in_top_k;
}

}  // namespace addax::null_device
