#include <algorithm>
#include <sstream>

#include "null/rules.h"

namespace addax::null_device {
namespace {

void expect_generator_state(const Node& node, int i) {
  node.require(node.input(i) == Type{ADX_INT64, {2}}, ADX_SHAPE,
               "the generator's state must be int64(2)");
}

std::vector<Type> random(const Node& node) {
  node.expect_inputs(1);
  expect_generator_state(node, 0);
  const int32_t dtype = node.dtype("dtype");
  node.require(is_floating(dtype), ADX_DTYPE, "random numbers are floating");
  return {{dtype, node.ints("shape")}, node.input(0)};
}

std::vector<Type> random_uniform(const Node& node) {
  node.number("minval");
  node.number("maxval");
  return random(node);
}

std::vector<Type> random_normal(const Node& node) {
  node.number("mean");
  node.number("stddev");
  node.flag("truncated");
  return random(node);
}

std::vector<Type> dropout(const Node& node) {
  node.expect_inputs(2);
  node.expect_floating(0);
  expect_generator_state(node, 1);
  const double rate = node.number("rate");
  node.require(rate >= 0 && rate < 1, ADX_INVALID_ARGUMENT, "the rate must be in [0, 1)");
  return {node.input(0), node.input(1)};
}

std::vector<Type> batch_indices(const Node& node) {
  node.expect_inputs(2);
  node.require(node.input(0) == Type{ADX_INT64, {}}, ADX_SHAPE, "the cursor must be int64()");
  expect_generator_state(node, 1);
  node.flag("shuffle");
  const int64_t batch = node.integer("batch");
  node.require(batch >= 0 && batch <= node.integer("n"), ADX_INVALID_ARGUMENT,
               "the batch must be within [0, n]");
  return {{ADX_INT64, {batch}}};
}

// Groups of `count` tensors from input `first` on, all like the first group; the outputs are like
// the parameters and the slots.
std::vector<Type> update(const Node& node, int first, int groups, int slots) {
  const int64_t count = node.integer("count");
  node.require(count >= 1 && node.num_inputs() == first + groups * count, ADX_INVALID_ARGUMENT,
               "the inputs do not fall into groups of count");
  const auto begin = node.inputs().begin() + first;
  const std::vector<Type> parameters(begin, begin + count);
  for (int64_t i = 0; i < groups * count; ++i) {
    const Type& type = node.inputs()[static_cast<size_t>(first + i)];
    node.require(is_floating(type.dtype), ADX_DTYPE, "an optimizer's tensors are floating");
    node.require(type.dims == parameters[static_cast<size_t>(i % count)].dims, ADX_SHAPE,
                 "input " + std::to_string(first + i) + " is not like its parameter");
  }
  std::vector<Type> outputs = parameters;
  outputs.insert(outputs.end(), node.inputs().end() - slots * count, node.inputs().end());
  return outputs;
}

void expect_learning_rate(const Node& node) {
  node.require(node.num_inputs() >= 1 && node.input(0) == Type{ADX_FLOAT32, {}}, ADX_SHAPE,
               "the learning rate must be float32()");
}

std::vector<Type> sgd(const Node& node) {
  expect_learning_rate(node);
  node.flag("nesterov");
  node.number("weight_decay");
  const bool has_velocity = node.number("momentum") != 0;
  return update(node, 1, has_velocity ? 3 : 2, has_velocity ? 1 : 0);
}

std::vector<Type> adam(const Node& node) {
  expect_learning_rate(node);
  node.require(node.num_inputs() >= 2 && node.input(1) == Type{ADX_INT64, {}}, ADX_SHAPE,
               "the step must be int64()");
  for (const char* name : {"beta_1", "beta_2", "epsilon", "weight_decay"}) {
    node.number(name);
  }
  return update(node, 2, 4, 2);
}

std::vector<Type> fused(const Node& node) {
  const Dims domain = node.ints("shape");
  const int32_t compute = node.dtype("compute");
  node.require(compute == ADX_FLOAT32 || compute == ADX_FLOAT64 || compute == ADX_INT64, ADX_DTYPE,
               "fused computes in float32, float64 or int64");
  node.require(!node.text("expr").empty(), ADX_INVALID_ARGUMENT, "the expression is empty");
  for (int i = 0; i < node.num_inputs(); ++i) {
    node.require(broadcasts_to(node.input(i).dims, domain), ADX_SHAPE,
                 "input " + std::to_string(i) + " does not broadcast to the domain");
  }
  const Dims dtypes = node.ints("dtypes");
  std::vector<std::string> reductions(dtypes.size(), "none");
  if (const std::string text = node.text("reduce"); !text.empty()) {
    reductions.clear();
    std::istringstream stream(text);
    for (std::string word; std::getline(stream, word, ',');) reductions.push_back(word);
  }
  node.require(reductions.size() == dtypes.size(), ADX_INVALID_ARGUMENT,
               "there is not one reduction per output");
  const Dims axes = node.ints("axes");
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto rank = static_cast<int64_t>(domain.size());
    const auto position = static_cast<int64_t>(i);
    const auto count = static_cast<int64_t>(axes.size());
    const bool leading = axes[0] == 0 && axes[i] == position;
    const bool trailing = axes[i] == rank - count + position;
    node.require(leading || trailing, ADX_INVALID_ARGUMENT,
                 "reduced axes must be a leading or trailing run");
  }
  std::vector<Type> outputs;
  for (size_t i = 0; i < dtypes.size(); ++i) {
    constexpr const char* kKnown[] = {"none", "sum", "max", "min", "prod"};
    node.require(std::find(std::begin(kKnown), std::end(kKnown), reductions[i]) != std::end(kKnown),
                 ADX_INVALID_ARGUMENT, "there is no reduction '" + reductions[i] + "'");
    node.require(dtypes[i] >= ADX_BOOL && dtypes[i] <= ADX_FLOAT64, ADX_DTYPE,
                 "there is no dtype " + std::to_string(dtypes[i]));
    outputs.push_back({static_cast<int32_t>(dtypes[i]),
                       reductions[i] == "none" ? domain : reduce_dims(domain, axes, false)});
  }
  return outputs;
}

}  // namespace

void add_update_rules(Rules& rules) {
  rules["random_uniform"] = random_uniform;
  rules["random_normal"] = random_normal;
  rules["dropout"] = dropout;
  rules["batch_indices"] = batch_indices;
  rules["sgd"] = sgd;
  rules["adam"] = adam;
  rules["fused"] = fused;
}

}  // namespace addax::null_device
