#include <algorithm>
#include <tuple>
#include <utility>

#include "null/rules.h"

namespace addax::null_device {
namespace {

// ---- matmul

Type product(const Node& node) {
  node.require(node.num_inputs() >= 2, ADX_INVALID_ARGUMENT, "expects at least 2 inputs");
  const Type& a = node.input(0);
  const Type& b = node.input(1);
  node.require(a.dtype == b.dtype && a.dtype != ADX_BOOL, ADX_DTYPE,
               "the operands must have one dtype, not bool");
  node.require(a.rank() >= 2 && b.rank() >= 2, ADX_SHAPE, "the operands must have rank 2 or more");
  const auto split = [](const Type& type, bool transpose) {
    Dims batch(type.dims.begin(), type.dims.end() - 2);
    int64_t rows = type.dims[type.dims.size() - 2];
    int64_t columns = type.dims.back();
    if (transpose) std::swap(rows, columns);
    return std::tuple(batch, rows, columns);
  };
  const auto [a_batch, m, k] = split(a, node.flag("transpose_a"));
  const auto [b_batch, b_rows, n] = split(b, node.flag("transpose_b"));
  node.require(k == b_rows, ADX_SHAPE, "the inner extents differ");
  Dims dims(std::max(a_batch.size(), b_batch.size()), 1);
  for (const Dims& batch : {a_batch, b_batch}) {
    for (size_t i = 0; i < batch.size(); ++i) {
      int64_t& have = dims[dims.size() - batch.size() + i];
      node.require(have == batch[i] || have == 1 || batch[i] == 1, ADX_SHAPE,
                   "the batch extents do not broadcast");
      if (have == 1) have = batch[i];
    }
  }
  dims.push_back(m);
  dims.push_back(n);
  return {a.dtype, dims};
}

std::vector<Type> matmul(const Node& node) {
  node.expect_inputs(2);
  return {product(node)};
}

std::vector<Type> with_epilogue(const Node& node, Type type) {
  node.require(!node.text("epilogue").empty(), ADX_INVALID_ARGUMENT, "the epilogue is empty");
  for (int i = 2; i < node.num_inputs(); ++i) {
    node.require(broadcasts_to(node.input(i).dims, type.dims), ADX_SHAPE,
                 "extra " + std::to_string(i - 1) + " does not broadcast to the output");
  }
  return {std::move(type)};
}

std::vector<Type> matmul_epilogue(const Node& node) { return with_epilogue(node, product(node)); }

// ---- windows over the two middle axes of [N, H, W, C]

int64_t window_count(const Node& node, int64_t extent, int64_t low, int64_t high, int64_t window,
                     int64_t dilation, int64_t stride) {
  const int64_t room = extent + low + high - (dilation * (window - 1) + 1);
  node.require(room >= 0, ADX_SHAPE, "the window is larger than the padded input");
  return room / stride + 1;
}

// conv2d's output extents for an input of shape `x` and a filter of shape `f`.
Dims conv_dims(const Node& node, const Dims& x, const Dims& f) {
  node.require(x.size() == 4 && f.size() == 4, ADX_SHAPE, "input and filter must have rank 4");
  const Dims strides = node.ints("strides", 2, 1);
  const Dims padding = node.ints("padding", 4, 0);
  const Dims dilations = node.ints("dilations", 2, 1);
  const int64_t groups = node.integer("groups");
  node.require(groups >= 1 && x[3] == f[2] * groups && f[3] % groups == 0, ADX_SHAPE,
               "the channels do not fit the filter and its groups");
  node.require(f[0] >= 1 && f[1] >= 1, ADX_SHAPE, "the filter is empty");
  return {x[0], window_count(node, x[1], padding[0], padding[1], f[0], dilations[0], strides[0]),
          window_count(node, x[2], padding[2], padding[3], f[1], dilations[1], strides[1]), f[3]};
}

void expect_floating_pair(const Node& node) {
  node.require(node.num_inputs() >= 2, ADX_INVALID_ARGUMENT, "expects at least 2 inputs");
  node.expect_floating(0);
  node.require(node.input(1).dtype == node.input(0).dtype, ADX_DTYPE,
               "the operands must have one dtype");
}

// Images and a filter, which may be a float32 one where images have 16 bits.
void expect_image_and_filter(const Node& node) {
  const bool narrow = node.input(0).dtype == ADX_FLOAT16 || node.input(0).dtype == ADX_BFLOAT16;
  if (narrow && node.num_inputs() >= 2 && node.input(1).dtype == ADX_FLOAT32) return;
  expect_floating_pair(node);
}

std::vector<Type> conv2d(const Node& node) {
  node.expect_inputs(2);
  expect_image_and_filter(node);
  return {{node.input(0).dtype, conv_dims(node, node.input(0).dims, node.input(1).dims)}};
}

std::vector<Type> conv2d_epilogue(const Node& node) {
  expect_image_and_filter(node);
  return with_epilogue(
      node, {node.input(0).dtype, conv_dims(node, node.input(0).dims, node.input(1).dims)});
}

Type input_grad(const Node& node) {
  expect_image_and_filter(node);
  const Dims x = node.ints("input_shape", 4, 0);
  node.require(conv_dims(node, x, node.input(1).dims) == node.input(0).dims, ADX_SHAPE,
               "dy has not the shape of the forward result");
  return {node.input(0).dtype, x};
}

std::vector<Type> conv2d_input_grad(const Node& node) {
  node.expect_inputs(2);
  return {input_grad(node)};
}

std::vector<Type> conv2d_input_grad_epilogue(const Node& node) {
  return with_epilogue(node, input_grad(node));
}

std::vector<Type> conv2d_filter_grad(const Node& node) {
  node.expect_inputs(2);
  expect_floating_pair(node);
  const Dims filter = node.ints("filter_shape", 4, 0);
  node.require(conv_dims(node, node.input(0).dims, filter) == node.input(1).dims, ADX_SHAPE,
               "dy has not the shape of the forward result");
  const int32_t dtype = node.input(0).dtype;
  const bool widens = node.flag("wide") && dtype != ADX_FLOAT64;
  return {{widens ? int32_t{ADX_FLOAT32} : dtype, filter}};
}

Dims pool_dims(const Node& node, const Dims& x) {
  node.require(x.size() == 4, ADX_SHAPE, "the input must have rank 4");
  const Dims size = node.ints("pool_size", 2, 1);
  const Dims strides = node.ints("strides", 2, 1);
  const Dims padding = node.ints("padding", 4, 0);
  return {x[0], window_count(node, x[1], padding[0], padding[1], size[0], 1, strides[0]),
          window_count(node, x[2], padding[2], padding[3], size[1], 1, strides[1]), x[3]};
}

std::vector<Type> pool(const Node& node) {
  node.expect_inputs(1);
  return {{node.input(0).dtype, pool_dims(node, node.input(0).dims)}};
}

std::vector<Type> max_pool2d_grad(const Node& node) {
  node.expect_inputs(2);
  node.expect_dtype(1, node.input(0).dtype);
  node.require(pool_dims(node, node.input(0).dims) == node.input(1).dims, ADX_SHAPE,
               "dy has not the shape of the forward result");
  return {node.input(0)};
}

std::vector<Type> max_pool2d_argmax(const Node& node) {
  const Type pooled = pool(node)[0];
  return {pooled, {ADX_UINT8, pooled.dims}};
}

std::vector<Type> max_pool2d_argmax_grad(const Node& node) {
  node.expect_inputs(2);
  node.expect_floating(0);
  node.expect_dtype(1, ADX_UINT8);
  const Dims x = node.ints("input_shape", 4, 0);
  const Dims pooled = pool_dims(node, x);
  node.require(pooled == node.input(0).dims && pooled == node.input(1).dims, ADX_SHAPE,
               "dy or argmax has not the shape of the forward result");
  return {{node.input(0).dtype, x}};
}

std::vector<Type> avg_pool2d_grad(const Node& node) {
  node.expect_inputs(1);
  node.expect_floating(0);
  const Dims x = node.ints("input_shape", 4, 0);
  node.require(pool_dims(node, x) == node.input(0).dims, ADX_SHAPE,
               "dy has not the shape of the forward result");
  return {{node.input(0).dtype, x}};
}

}  // namespace

void add_contraction_rules(Rules& rules) {
  rules["matmul"] = matmul;
  rules["matmul_epilogue"] = matmul_epilogue;
  rules["conv2d"] = conv2d;
  rules["conv2d_epilogue"] = conv2d_epilogue;
  rules["conv2d_input_grad"] = conv2d_input_grad;
  rules["conv2d_input_grad_epilogue"] = conv2d_input_grad_epilogue;
  rules["conv2d_filter_grad"] = conv2d_filter_grad;
  rules["max_pool2d"] = rules["avg_pool2d"] = pool;
  rules["max_pool2d_argmax"] = max_pool2d_argmax;
  rules["max_pool2d_argmax_grad"] = max_pool2d_argmax_grad;
  rules["max_pool2d_grad"] = max_pool2d_grad;
  rules["avg_pool2d_grad"] = avg_pool2d_grad;
}

}  // namespace addax::null_device
