#include <gtest/gtest.h>

#include <cmath>

#include "core/philox.h"
#include "ops/registry.h"
#include "reference_emitter.h"

namespace addax::test {
namespace {

struct Case {
  std::string op;
  Attrs attrs;
  std::vector<Array> inputs;
};

// Numbers spread evenly over [low, high), the same at every run.
std::vector<double> spread(int64_t count, double low, double high, uint64_t seed) {
  std::vector<double> numbers;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t word = philox_block(seed, static_cast<uint64_t>(i))[0];
    numbers.push_back(low + (high - low) * (word + 0.5) * 0x1p-32);
  }
  return numbers;
}

Array f64(const Shape& shape, double low = -2, double high = 2, uint64_t seed = 1) {
  return {{DType::Float64, shape}, spread(shape.num_elements(), low, high, seed)};
}
Array given(const Shape& shape, std::vector<double> data, DType dtype = DType::Float64) {
  return {{dtype, shape}, std::move(data)};
}

// Sum of a value's elements under fixed weights, so that errors do not cancel.
Value weigh(ReferenceEmitter& emit, Value y, uint64_t seed) {
  const TensorType type = emit.type(y);
  const Value weights = emit.input(type, spread(type.shape.num_elements(), 0.5, 1.5, seed));
  return emit.sum_to(emit.multiply(y, weights), Shape());
}

Value total(ReferenceEmitter& emit, std::span<const Value> values, uint64_t seed) {
  Value sum = emit.scalar(0, DType::Float64);
  for (Value value : values) {
    if (value.valid() && is_floating(emit.dtype(value))) {
      sum = emit.add(sum, weigh(emit, value, ++seed));
    }
  }
  return sum;
}

struct Evaluation {
  ReferenceEmitter emit;
  std::vector<Value> inputs;
  Value loss;
};

// The loss is the weighted sum of the outputs; at order 1, of the gradients of that sum.
void evaluate(const Case& test, int order, Evaluation& result) {
  ReferenceEmitter& emit = result.emit;
  for (const Array& array : test.inputs) {
    result.inputs.push_back(emit.input(array.type, array.data));
  }
  const std::vector<Value> outputs = emit.call_all(test.op, result.inputs, test.attrs);
  result.loss = total(emit, outputs, 100);
  if (order == 0) return;
  const Value one = emit.scalar(1, DType::Float64);
  result.loss = total(emit, emit.gradients(result.loss, one, result.inputs), 200);
}

double loss_of(const Case& test, int order) {
  Evaluation result;
  evaluate(test, order, result);
  return result.emit.data(result.loss)[0];
}

// Compares gradients with central differences, whose error at this step is near 1e-9 for
// derivatives of the size that these cases have.
void check(const Case& test, int order) {
  constexpr double kStep = 1e-5;
  constexpr double kTolerance = 1e-6;
  Evaluation result;
  evaluate(test, order, result);
  const Value one = result.emit.scalar(1, DType::Float64);
  const std::vector<Value> grads = result.emit.gradients(result.loss, one, result.inputs);
  for (size_t i = 0; i < test.inputs.size(); ++i) {
    if (!is_floating(test.inputs[i].type.dtype)) {
      EXPECT_FALSE(grads[i].valid()) << test.op << ": input " << i << " is not differentiable";
      continue;
    }
    for (size_t j = 0; j < test.inputs[i].data.size(); ++j) {
      Case moved = test;
      moved.inputs[i].data[j] += kStep;
      const double above = loss_of(moved, order);
      moved.inputs[i].data[j] -= 2 * kStep;
      const double expected = (above - loss_of(moved, order)) / (2 * kStep);
      const double actual = grads[i].valid() ? result.emit.data(grads[i])[j] : 0;
      EXPECT_NEAR(actual, expected, kTolerance * std::max(1.0, std::fabs(expected)))
          << test.op << test.attrs.to_string() << " order " << order + 1 << " input " << i
          << " element " << j;
    }
  }
}

std::vector<Case> elementwise_cases() {
  const Array x = f64({2, 3});
  const Array positive = f64({2, 3}, 0.5, 3);
  std::vector<Case> cases;
  for (const char* op :
       {"negative", "abs",   "sign",       "square",      "exp",   "expm1", "sin",
        "cos",      "tanh",  "arctan",     "erf",         "floor", "ceil",  "round",
        "relu",     "relu6", "leaky_relu", "elu",         "selu",  "gelu",  "sigmoid",
        "softplus", "silu",  "softsign",   "hard_sigmoid"}) {
    cases.push_back({op, {}, {x}});
  }
  for (const char* op : {"reciprocal", "log", "log1p", "sqrt", "rsqrt"}) {
    cases.push_back({op, {}, {positive}});
  }
  cases.push_back({"tan", {}, {f64({4}, -1, 1)}});
  cases.push_back({"gelu", {{"approximate", false}}, {x}});
  cases.push_back({"hard_sigmoid", {}, {f64({8}, -6, 6)}});
  cases.push_back({"relu6", {}, {f64({8}, -3, 9)}});
  cases.push_back({"leaky_relu", {{"negative_slope", -0.5}}, {x}});
  cases.push_back({"elu", {{"alpha", 0.3}}, {x}});
  cases.push_back({"clip", {{"x_min", -1.0}, {"x_max", 0.5}}, {x}});
  cases.push_back({"cast", {{"dtype", DType::Float64}}, {x}});

  const Array row = f64({3}, 0.5, 2, 2);
  const Array column = f64({2, 1}, 0.5, 2, 3);
  for (const char* op :
       {"add", "subtract", "multiply", "divide", "mod", "maximum", "minimum", "arctan2"}) {
    cases.push_back({op, {}, {x, row}});
    cases.push_back({op, {}, {column, row}});
    cases.push_back({op, {}, {x, f64({}, 0.7, 0.8)}});
  }
  cases.push_back({"power", {}, {positive, row}});
  cases.push_back({"power", {}, {column, row}});
  cases.push_back({"floor_divide", {}, {x, row}});
  const Array condition = given({2, 3}, {1, 0, 0, 1, 1, 0}, DType::Bool);
  cases.push_back({"where", {}, {condition, row, column}});
  return cases;
}

std::vector<Case> other_cases() {
  const Array x = f64({2, 3, 2});
  std::vector<Case> cases;
  for (const char* op : {"sum", "prod", "max", "min", "mean", "var", "std", "logsumexp"}) {
    cases.push_back({op, {}, {x}});
    cases.push_back({op, {{"axes", Ints{1}}}, {x}});
    cases.push_back({op, {{"axes", Ints{0, 2}}, {"keepdims", true}}, {x}});
  }
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const Attrs attrs = {{"transpose_a", ta}, {"transpose_b", tb}};
      const auto a = [ta](const Ints& batch) {
        Ints dims = batch;
        dims.insert(dims.end(), {ta ? 4 : 3, ta ? 3 : 4});
        return f64(Shape(dims));
      };
      const auto b = [tb](const Ints& batch) {
        Ints dims = batch;
        dims.insert(dims.end(), {tb ? 2 : 4, tb ? 4 : 2});
        return f64(Shape(dims), -2, 2, 7);
      };
      cases.push_back({"matmul", attrs, {a({}), b({})}});
      cases.push_back({"matmul", attrs, {a({2}), b({})}});
      cases.push_back({"matmul", attrs, {a({}), b({2})}});
      cases.push_back({"matmul", attrs, {a({2, 1}), b({2})}});
      cases.push_back({"matmul", attrs, {a({1}), b({2})}});
    }
  }
  cases.push_back({"matmul_epilogue",
                   {{"epilogue", "maximum(i0 + i1, 0) * i2"}},
                   {f64({3, 2}), f64({2, 4}), f64({4}), f64({3, 1})}});
  cases.push_back({"reshape", {{"shape", Ints{3, -1}}}, {x}});
  cases.push_back({"transpose", {{"permutation", Ints{1, 2, 0}}}, {x}});
  cases.push_back({"broadcast_to", {{"shape", Ints{2, 2, 3}}}, {f64({2, 1})}});
  cases.push_back({"concatenate", {{"axis", int64_t{1}}}, {f64({2, 1}), f64({2, 3}), f64({2, 0})}});
  cases.push_back({"slice",
                   {{"begin", Ints{1, 0}}, {"end", Ints{5, 4}}, {"strides", Ints{3, 2}}},
                   {f64({6, 4})}});
  cases.push_back({"slice", {{"begin", Ints{2}}, {"end", Ints{2}}}, {f64({4})}});
  cases.push_back({"pad", {{"low", Ints{1, 0}}, {"high", Ints{2, 1}}}, {f64({2, 3}), f64({})}});
  cases.push_back({"pad",
                   {{"low", Ints{-1, 2}}, {"high", Ints{-2, -3}}, {"interior", Ints{1, 2}}},
                   {f64({4, 3}), f64({})}});
  cases.push_back({"flip", {{"axes", Ints{0, 2}}}, {x}});
  cases.push_back({"copy", {}, {x}});
  const Array indices = given({2, 2}, {2, 0, 2, 1}, DType::Int32);
  cases.push_back({"take", {{"axis", int64_t{1}}}, {x, indices}});
  cases.push_back({"take", {}, {f64({3}), given({}, {1}, DType::Int64)}});
  cases.push_back({"scatter_add",
                   {{"shape", Ints{2, 4, 3}}, {"axis", int64_t{1}}},
                   {indices, f64({2, 2, 2, 3})}});
  cases.push_back({"dropout", {{"rate", 0.4}}, {x, given({2}, {5, 3}, DType::Int64)}});
  return cases;
}

std::vector<Case> network_cases() {
  std::vector<Case> cases;
  const Array logits = f64({3, 4});
  cases.push_back({"softmax", {}, {logits}});
  cases.push_back({"softmax", {{"axis", int64_t{0}}}, {logits}});
  cases.push_back({"log_softmax", {}, {logits}});
  const Array labels = given({3}, {1, 3, 0}, DType::Int32);
  cases.push_back({"sparse_softmax_cross_entropy", {}, {logits, labels}});
  cases.push_back({"softmax_cross_entropy", {}, {logits, f64({3, 4}, 0, 1, 4)}});
  const Array gamma = f64({2}, 0.5, 2, 5);
  const Array beta = f64({2}, -1, 1, 6);
  cases.push_back({"batch_moments", {}, {f64({3, 2, 2})}});
  cases.push_back({"batch_norm_train", {}, {f64({3, 2, 2}), gamma, beta}});
  cases.push_back(
      {"batch_norm", {}, {f64({3, 2}), gamma, beta, f64({2}, -1, 1, 8), f64({2}, 0.5, 2, 9)}});

  struct Conv {
    Ints strides, padding, dilations;
    int64_t groups;
  };
  for (const Conv& conv :
       {Conv{{1, 1}, {0, 0, 0, 0}, {1, 1}, 1}, Conv{{2, 1}, {1, 0, 2, 1}, {1, 1}, 1},
        Conv{{2, 2}, {1, 1, 1, 1}, {2, 1}, 2}}) {
    const Attrs attrs = {{"strides", conv.strides},
                         {"padding", conv.padding},
                         {"dilations", conv.dilations},
                         {"groups", conv.groups}};
    cases.push_back({"conv2d", attrs, {f64({2, 5, 4, 2}), f64({2, 3, 2 / conv.groups, 4})}});
  }
  const Attrs pool = {
      {"pool_size", Ints{2, 3}}, {"strides", Ints{1, 2}}, {"padding", Ints{1, 0, 0, 2}}};
  cases.push_back({"max_pool2d", pool, {f64({1, 3, 4, 2})}});
  cases.push_back({"max_pool2d", {{"pool_size", Ints{2, 2}}}, {f64({1, 4, 5, 1})}});
  cases.push_back({"avg_pool2d", pool, {f64({1, 3, 4, 2})}});
  return cases;
}

void check_all(const std::vector<Case>& cases) {
  for (const Case& test : cases) {
    SCOPED_TRACE(test.op);
    check(test, 0);
    check(test, 1);
  }
}

TEST(Gradients, ElementwiseMatchDifferencesTwice) { check_all(elementwise_cases()); }
TEST(Gradients, OthersMatchDifferencesTwice) { check_all(other_cases()); }
TEST(Gradients, NetworksMatchDifferencesTwice) { check_all(network_cases()); }

std::vector<double> gradient_at(const std::string& op, const Attrs& attrs,
                                const std::vector<Array>& inputs, size_t which) {
  ReferenceEmitter emit;
  std::vector<Value> values;
  for (const Array& array : inputs) values.push_back(emit.input(array.type, array.data));
  const Value y = emit.call_all(op, values, attrs)[0];
  const Value dy = emit.full(1, emit.type(y));
  return emit.data(emit.gradients(y, dy, values)[which]);
}

using Numbers = std::vector<double>;

TEST(Gradients, ArePlainAtKinks) {
  const auto at = [](const std::string& op, double x) {
    return gradient_at(op, {}, {given({1}, {x})}, 0)[0];
  };
  EXPECT_EQ(at("relu", 0), 0);
  EXPECT_EQ(at("relu6", 6), 0);
  EXPECT_EQ(at("abs", 0), 0);
  const Array ties = given({3}, {1, 2, 3});
  EXPECT_EQ(gradient_at("maximum", {}, {ties, given({3}, {2, 2, 2})}, 0), (Numbers{0, 0.5, 1}));
  EXPECT_EQ(gradient_at("minimum", {}, {ties, given({3}, {2, 2, 2})}, 1), (Numbers{0, 0.5, 1}));
  EXPECT_EQ(gradient_at("max", {}, {given({4}, {3, 1, 3, 2})}, 0), (Numbers{0.5, 0, 0.5, 0}));
}

TEST(Gradients, OfPowerAreFiniteAtZero) {
  const Array zero = given({4}, {0, 0, 0, -2});
  const Array exponent = given({4}, {0, 1, 2, 3});
  EXPECT_EQ(gradient_at("power", {}, {zero, exponent}, 0), (Numbers{0, 1, 0, 12}));
  EXPECT_EQ(gradient_at("power", {}, {zero, exponent}, 1), (Numbers{0, 0, 0, 0}));
}

TEST(Gradients, OfProductsWithZeros) {
  const Attrs rows = {{"axes", Ints{1}}};
  const Array x = given({3, 3}, {2, 3, 4, 2, 0, 4, 0, 0, 4});
  EXPECT_EQ(gradient_at("prod", rows, {x}, 0), (Numbers{12, 8, 6, 0, 8, 0, 0, 0, 0}));
}

TEST(Gradients, OfSaturatedActivationsAreFinite) {
  for (const char* op : {"sigmoid", "tanh", "softplus", "silu", "gelu", "elu", "selu"}) {
    for (const double x : {-1000.0, 1000.0}) {
      const double slope = gradient_at(op, {}, {given({1}, {x})}, 0)[0];
      EXPECT_TRUE(std::isfinite(slope)) << op << " at " << x;
    }
  }
}

TEST(Gradients, OfMaxPoolGoToTheFirstMaximum) {
  const Attrs attrs = {{"pool_size", Ints{2, 2}}, {"strides", Ints{1, 1}}};
  const Array x = given({1, 2, 3, 1}, {5, 5, 1, 5, 0, 5});
  EXPECT_EQ(gradient_at("max_pool2d", attrs, {x}, 0), (Numbers{1, 1, 0, 0, 0, 0}));
}

TEST(Gradients, IntegersAndConditionsHaveNone) {
  ReferenceEmitter emit;
  const Value a = emit.input({DType::Int32, {2}}, {1, 2});
  const Value b = emit.input({DType::Int32, {2}}, {3, 4});
  const Value y = emit.multiply(a, b);
  const std::vector<Value> wrt = {a, b};
  for (Value grad : emit.gradients(y, emit.full(1, emit.type(y)), wrt)) EXPECT_FALSE(grad.valid());

  const Value x = emit.input({DType::Float64, {2}}, {1.5, 2.5});
  const std::vector<Value> through = {x};
  const Value whole = emit.cast(x, DType::Int32);
  EXPECT_FALSE(emit.gradients(whole, whole, through)[0].valid());
  const Value stopped = emit.call("stop_gradient", {x});
  EXPECT_FALSE(emit.gradients(stopped, stopped, through)[0].valid());
}

TEST(Gradients, OfNarrowFloatsKeepTheirDType) {
  for (const DType dtype : {DType::Float16, DType::BFloat16, DType::Float32}) {
    ReferenceEmitter emit;
    const Value x = emit.input({dtype, {2, 3}}, {1, 2, 3, 4, 5, 6});
    const Value scale = emit.input({dtype, {3}}, {1, 1, 1});
    const std::vector<Value> wrt = {x};
    for (const char* op : {"mean", "var", "std", "logsumexp", "softmax", "log_softmax", "gelu"}) {
      const Value y = emit.call(op, {x});
      const Value grad = emit.gradients(y, emit.full(1, emit.type(y)), wrt)[0];
      EXPECT_EQ(emit.type(grad), emit.type(x)) << op;
    }
    const std::vector<Value> inputs = {x, scale, scale};
    const Value y = emit.call_all("batch_norm_train", inputs)[0];
    for (Value grad : emit.gradients(y, emit.full(1, emit.type(y)), inputs)) {
      EXPECT_EQ(emit.dtype(grad), dtype);
    }
  }
}

}  // namespace
}  // namespace addax::test
