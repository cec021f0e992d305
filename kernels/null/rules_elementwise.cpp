#include "null/rules.h"

namespace addax::null_device {
namespace {

template <int kInputs>
std::vector<Type> same(const Node& node) {
  node.expect_inputs(kInputs);
  node.expect_dtype(0, node.input(0).dtype);
  return {{node.input(0).dtype, broadcast_inputs(node)}};
}

template <int kInputs>
std::vector<Type> floating(const Node& node) {
  node.expect_inputs(kInputs);
  node.expect_floating(0);
  return same<kInputs>(node);
}

std::vector<Type> compare(const Node& node) { return {{ADX_BOOL, same<2>(node)[0].dims}}; }

template <int kInputs>
std::vector<Type> logical(const Node& node) {
  node.expect_inputs(kInputs);
  node.expect_dtype(0, ADX_BOOL);
  return {{ADX_BOOL, broadcast_inputs(node)}};
}

std::vector<Type> float_test(const Node& node) { return {{ADX_BOOL, floating<1>(node)[0].dims}}; }

std::vector<Type> where(const Node& node) {
  node.expect_inputs(3);
  node.require(node.input(0).dtype == ADX_BOOL, ADX_DTYPE, "the condition must be bool");
  node.expect_dtype(1, node.input(1).dtype);
  return {{node.input(1).dtype, broadcast_inputs(node)}};
}

std::vector<Type> cast(const Node& node) {
  node.expect_inputs(1);
  return {{node.dtype("dtype"), node.input(0).dims}};
}

std::vector<Type> leaky_relu(const Node& node) {
  node.number("negative_slope");
  return floating<1>(node);
}

std::vector<Type> elu(const Node& node) {
  node.number("alpha");
  return floating<1>(node);
}

std::vector<Type> gelu(const Node& node) {
  node.flag("approximate");
  return floating<1>(node);
}

std::vector<Type> clip(const Node& node) {
  node.number("x_min");
  node.number("x_max");
  return same<1>(node);
}

}  // namespace

void add_elementwise_rules(Rules& rules) {
  for (const char* op :
       {"add", "subtract", "multiply", "floor_divide", "mod", "power", "maximum", "minimum"}) {
    rules[op] = same<2>;
  }
  for (const char* op : {"negative", "abs", "sign", "square", "relu", "relu6", "stop_gradient"}) {
    rules[op] = same<1>;
  }
  for (const char* op : {"divide", "arctan2"}) rules[op] = floating<2>;
  for (const char* op :
       {"exp",     "expm1", "log",      "log1p", "sqrt",     "rsqrt",       "sin",   "cos",
        "tan",     "tanh",  "arctan",   "erf",   "floor",    "ceil",        "round", "reciprocal",
        "sigmoid", "selu",  "softplus", "silu",  "softsign", "hard_sigmoid"}) {
    rules[op] = floating<1>;
  }
  for (const char* op : {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}) {
    rules[op] = compare;
  }
  for (const char* op : {"logical_and", "logical_or", "logical_xor"}) rules[op] = logical<2>;
  rules["logical_not"] = logical<1>;
  for (const char* op : {"isnan", "isinf", "isfinite"}) rules[op] = float_test;
  rules["where"] = where;
  rules["cast"] = cast;
  rules["leaky_relu"] = leaky_relu;
  rules["elu"] = elu;
  rules["gelu"] = gelu;
  rules["clip"] = clip;
}

}  // namespace addax::null_device
