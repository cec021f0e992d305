#include "null/rules.h"

namespace addax::null_device {
namespace {

// Inputs from `first` on are one number per channel of input 0, in its dtype.
void expect_per_channel(const Node& node, int first) {
  const Type& x = node.input(0);
  node.expect_floating(0);
  node.require(x.rank() >= 1, ADX_SHAPE, "the input must have a channel axis");
  for (int i = first; i < node.num_inputs(); ++i) {
    node.require(node.input(i) == Type{x.dtype, {x.dims.back()}}, ADX_SHAPE,
                 "input " + std::to_string(i) + " must hold one number per channel");
  }
  node.number("epsilon");
}

std::vector<Type> batch_moments(const Node& node) {
  node.expect_inputs(1);
  node.expect_floating(0);
  const Type& x = node.input(0);
  node.require(x.rank() >= 1, ADX_SHAPE, "the input must have a channel axis");
  const Type moment = {x.dtype == ADX_FLOAT64 ? x.dtype : ADX_FLOAT32, {x.dims.back()}};
  return {moment, moment};
}

std::vector<Type> batch_norm_train(const Node& node) {
  node.expect_inputs(3);
  expect_per_channel(node, 1);
  return {node.input(0), node.input(1), node.input(1)};
}

std::vector<Type> batch_norm(const Node& node) {
  node.expect_inputs(5);
  expect_per_channel(node, 1);
  return {node.input(0)};
}

std::vector<Type> softmax(const Node& node) {
  node.expect_inputs(1);
  node.expect_floating(0);
  node.axis("axis", node.input(0).rank());
  return {node.input(0)};
}

// Logits [..., K], K > 0: the losses' type [...].
Type loss_type(const Node& node) {
  node.expect_floating(0);
  Dims dims = node.input(0).dims;
  node.require(!dims.empty() && dims.back() > 0, ADX_SHAPE, "the logits have no classes");
  dims.pop_back();
  return {node.input(0).dtype, dims};
}

Type sparse_loss_type(const Node& node) {
  Type loss = loss_type(node);
  node.expect_integer(1);
  node.require(node.input(1).dims == loss.dims, ADX_SHAPE, "the labels do not fit the logits");
  return loss;
}

std::vector<Type> sparse_softmax_cross_entropy(const Node& node) {
  node.expect_inputs(2);
  return {sparse_loss_type(node)};
}

std::vector<Type> sparse_softmax_cross_entropy_grad(const Node& node) {
  node.expect_inputs(3);
  node.require(node.input(2) == sparse_loss_type(node), ADX_SHAPE, "dloss does not fit the logits");
  return {node.input(0)};
}

std::vector<Type> softmax_cross_entropy(const Node& node) {
  node.expect_inputs(2);
  node.require(node.input(1) == node.input(0), ADX_SHAPE, "the targets do not fit the logits");
  return {loss_type(node)};
}

}  // namespace

void add_layer_rules(Rules& rules) {
  rules["batch_moments"] = batch_moments;
  rules["batch_norm_train"] = batch_norm_train;
  rules["batch_norm"] = batch_norm;
  rules["softmax"] = rules["log_softmax"] = softmax;
  rules["sparse_softmax_cross_entropy"] = sparse_softmax_cross_entropy;
  rules["sparse_softmax_cross_entropy_grad"] = sparse_softmax_cross_entropy_grad;
  rules["softmax_cross_entropy"] = softmax_cross_entropy;
}

}  // namespace addax::null_device
