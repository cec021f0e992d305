#include <algorithm>
#include <utility>

#include "null/rules.h"

namespace addax::null_device {
namespace {

Dims shape_attr(const Node& node, std::string_view name) {
  Dims dims = node.ints(name);
  node.require(dims.size() <= ADX_MAX_RANK &&
                   std::all_of(dims.begin(), dims.end(), [](int64_t d) { return d >= 0; }),
               ADX_SHAPE, std::string(name) + " is no shape");
  return dims;
}

std::vector<Type> reshape(const Node& node) {
  node.expect_inputs(1);
  const Type to{node.input(0).dtype, shape_attr(node, "shape")};
  node.require(to.elements() == node.input(0).elements(), ADX_SHAPE, "the sizes differ");
  return {to};
}

std::vector<Type> transpose(const Node& node) {
  node.expect_inputs(1);
  const Dims permutation = node.ints("permutation");
  const Type& x = node.input(0);
  node.require(static_cast<int>(permutation.size()) == x.rank(), ADX_INVALID_ARGUMENT,
               "the permutation has not one number per axis");
  std::vector<bool> seen(permutation.size(), false);
  Dims dims;
  for (const int64_t axis : permutation) {
    node.require(axis >= 0 && axis < x.rank() && !seen[static_cast<size_t>(axis)],
                 ADX_INVALID_ARGUMENT, "that is no permutation");
    seen[static_cast<size_t>(axis)] = true;
    dims.push_back(x.dims[static_cast<size_t>(axis)]);
  }
  return {{x.dtype, dims}};
}

std::vector<Type> broadcast_to(const Node& node) {
  node.expect_inputs(1);
  const Dims to = shape_attr(node, "shape");
  node.require(broadcasts_to(node.input(0).dims, to), ADX_SHAPE, "the input does not broadcast");
  return {{node.input(0).dtype, to}};
}

std::vector<Type> concatenate(const Node& node) {
  node.require(node.num_inputs() >= 1, ADX_INVALID_ARGUMENT, "expects an input");
  Type y = node.input(0);
  const auto axis = static_cast<size_t>(node.axis("axis", y.rank()));
  node.expect_dtype(0, y.dtype);
  for (int i = 1; i < node.num_inputs(); ++i) {
    Dims dims = node.input(i).dims;
    node.require(dims.size() == y.dims.size(), ADX_SHAPE, "the ranks differ");
    y.dims[axis] += std::exchange(dims[axis], 0);
    Dims rest = y.dims;
    rest[axis] = 0;
    node.require(dims == rest, ADX_SHAPE, "extents besides the axis differ");
  }
  return {y};
}

std::vector<Type> slice(const Node& node) {
  node.expect_inputs(1);
  const Type& x = node.input(0);
  const auto rank = x.dims.size();
  const Dims begin = node.ints("begin", rank, 0);
  const Dims end = node.ints("end", rank, 0);
  const Dims strides = node.ints("strides", rank, 1);
  Dims dims;
  for (size_t i = 0; i < rank; ++i) {
    node.require(begin[i] <= x.dims[i] && end[i] <= x.dims[i], ADX_OUT_OF_RANGE,
                 "begin or end is beyond the extent");
    dims.push_back(std::max<int64_t>(0, (end[i] - begin[i] + strides[i] - 1) / strides[i]));
  }
  return {{x.dtype, dims}};
}

std::vector<Type> pad(const Node& node) {
  node.expect_inputs(2);
  const Type& x = node.input(0);
  node.require(node.input(1).rank() == 0 && node.input(1).dtype == x.dtype, ADX_SHAPE,
               "the value must be a scalar of x's dtype");
  const auto rank = x.dims.size();
  const Dims low = node.ints("low", rank, INT64_MIN);
  const Dims high = node.ints("high", rank, INT64_MIN);
  const Dims interior = node.ints("interior", rank, 0);
  Dims dims;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t inner = x.dims[i] + interior[i] * std::max<int64_t>(0, x.dims[i] - 1);
    dims.push_back(inner + low[i] + high[i]);
    node.require(dims.back() >= 0, ADX_SHAPE, "more is cropped than there is");
  }
  return {{x.dtype, dims}};
}

Dims gathered(const Dims& dims, const Dims& indices, int axis) {
  Dims result = dims;
  const auto place = result.erase(result.begin() + axis);
  result.insert(place, indices.begin(), indices.end());
  return result;
}

std::vector<Type> take(const Node& node) {
  node.expect_inputs(2);
  node.expect_integer(1);
  const int axis = node.axis("axis", node.input(0).rank());
  return {{node.dtype("dtype"), gathered(node.input(0).dims, node.input(1).dims, axis)}};
}

std::vector<Type> scatter_add(const Node& node) {
  node.expect_inputs(2);
  node.expect_integer(0);
  const Dims dims = shape_attr(node, "shape");
  const int axis = node.axis("axis", static_cast<int>(dims.size()));
  node.require(gathered(dims, node.input(0).dims, axis) == node.input(1).dims, ADX_SHAPE,
               "the updates do not fit the indices and the shape");
  return {{node.input(1).dtype, dims}};
}

std::vector<Type> flip(const Node& node) {
  node.expect_inputs(1);
  for (const int64_t axis : node.ints("axes")) {
    node.require(axis >= 0 && axis < node.input(0).rank(), ADX_INVALID_ARGUMENT,
                 "an axis is out of range");
  }
  return {node.input(0)};
}

std::vector<Type> iota(const Node& node) {
  node.expect_inputs(0);
  const Dims dims = shape_attr(node, "shape");
  node.axis("axis", static_cast<int>(dims.size()));
  return {{node.dtype("dtype"), dims}};
}

std::vector<Type> copy(const Node& node) {
  node.expect_inputs(1);
  return {node.input(0)};
}

std::vector<Type> one_hot(const Node& node) {
  node.expect_inputs(1);
  node.expect_integer(0);
  Dims dims = node.input(0).dims;
  dims.push_back(node.integer("num_classes"));
  node.require(dims.back() >= 1, ADX_INVALID_ARGUMENT, "num_classes must be at least 1");
  return {{node.dtype("dtype"), dims}};
}

std::vector<Type> check_range(const Node& node) {
  node.expect_inputs(1);
  node.expect_integer(0);
  node.integer("low");
  node.integer("high");
  node.require(!node.text("what").empty(), ADX_INVALID_ARGUMENT, "what is empty");
  return {node.input(0)};
}

}  // namespace

void add_shape_rules(Rules& rules) {
  rules["reshape"] = reshape;
  rules["transpose"] = transpose;
  rules["broadcast_to"] = broadcast_to;
  rules["concatenate"] = concatenate;
  rules["slice"] = slice;
  rules["pad"] = pad;
  rules["take"] = take;
  rules["scatter_add"] = scatter_add;
  rules["flip"] = flip;
  rules["iota"] = iota;
  rules["copy"] = copy;
  rules["one_hot"] = one_hot;
  rules["check_range"] = check_range;
}

}  // namespace addax::null_device
