#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/philox.h"
#include "ops/registry.h"
#include "reference_emitter.h"

namespace addax::test {
namespace {

constexpr double kTolerance = 1e-12;

Array numbers(const Shape& shape, uint64_t seed, DType dtype = DType::Float64) {
  Array array{{dtype, shape}, {}};
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    array.data.push_back(philox_block(seed, static_cast<uint64_t>(i))[0] * 0x1p-30 - 2);
  }
  return array;
}

std::vector<Array> run(const std::string& op, const Attrs& attrs,
                       const std::vector<Array>& inputs) {
  ReferenceEmitter emit;
  std::vector<Value> values;
  for (const Array& array : inputs) values.push_back(emit.input(array.type, array.data));
  std::vector<Array> outputs;
  for (Value value : emit.call_all(op, values, attrs)) outputs.push_back(emit.array(value));
  return outputs;
}

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], kTolerance * std::max(1.0, std::fabs(expected[i]))) << i;
  }
}

struct ConvCase {
  Shape x, filter;
  Ints strides, padding, dilations;
  int64_t groups;

  Attrs attrs() const {
    return {
        {"strides", strides}, {"padding", padding}, {"dilations", dilations}, {"groups", groups}};
  }
};

const std::vector<ConvCase>& conv_cases() {
  static const std::vector<ConvCase> cases = {
      {{2, 4, 5, 3}, {3, 2, 3, 4}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
      {{2, 4, 5, 3}, {3, 3, 3, 2}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
      {{1, 7, 6, 4}, {3, 2, 2, 6}, {2, 3}, {0, 1, 2, 1}, {2, 1}, 2},
      {{1, 5, 5, 3}, {2, 2, 1, 6}, {2, 2}, {1, 0, 0, 1}, {1, 1}, 3},
      {{3, 1, 1, 4}, {1, 1, 4, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
      {{1, 2, 2, 1}, {5, 5, 1, 1}, {1, 1}, {2, 2, 2, 2}, {1, 1}, 1},
      {{0, 4, 4, 2}, {3, 3, 2, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
  };
  return cases;
}

// Calls f(y offset, x offset, filter offset) for each multiplication of a convolution.
template <typename F>
void for_each_product(const ConvCase& c, const Shape& y, F f) {
  const int64_t per_group = c.filter[2];
  const int64_t outputs_per_group = y[3] / c.groups;
  for (int64_t n = 0; n < y[0]; ++n)
    for (int64_t h = 0; h < y[1]; ++h)
      for (int64_t w = 0; w < y[2]; ++w)
        for (int64_t o = 0; o < y[3]; ++o)
          for (int64_t i = 0; i < c.filter[0]; ++i)
            for (int64_t j = 0; j < c.filter[1]; ++j)
              for (int64_t k = 0; k < per_group; ++k) {
                const int64_t row = h * c.strides[0] + i * c.dilations[0] - c.padding[0];
                const int64_t column = w * c.strides[1] + j * c.dilations[1] - c.padding[2];
                if (row < 0 || row >= c.x[1] || column < 0 || column >= c.x[2]) continue;
                const int64_t channel = o / outputs_per_group * per_group + k;
                f(static_cast<size_t>(((n * y[1] + h) * y[2] + w) * y[3] + o),
                  static_cast<size_t>(((n * c.x[1] + row) * c.x[2] + column) * c.x[3] + channel),
                  static_cast<size_t>(((i * c.filter[1] + j) * per_group + k) * y[3] + o));
              }
}

TEST(Decompose, ConvolutionsAddUpTheirProducts) {
  for (const ConvCase& c : conv_cases()) {
    const Array x = numbers(c.x, 1);
    const Array filter = numbers(c.filter, 2);
    const Array y = run("conv2d", c.attrs(), {x, filter})[0];
    const Array dy = numbers(y.type.shape, 3);
    std::vector<double> expected_y(y.data.size(), 0);
    std::vector<double> expected_dx(x.data.size(), 0);
    std::vector<double> expected_df(filter.data.size(), 0);
    for_each_product(c, y.type.shape, [&](size_t to, size_t from, size_t tap) {
      expected_y[to] += x.data[from] * filter.data[tap];
      expected_dx[from] += dy.data[to] * filter.data[tap];
      expected_df[tap] += dy.data[to] * x.data[from];
    });
    SCOPED_TRACE(c.attrs().to_string());
    expect_near(y.data, expected_y);

    Attrs attrs = c.attrs();
    attrs.set("input_shape", Ints(c.x.begin(), c.x.end()));
    expect_near(run("conv2d_input_grad", attrs, {dy, filter})[0].data, expected_dx);
    attrs = c.attrs();
    attrs.set("filter_shape", Ints(c.filter.begin(), c.filter.end()));
    expect_near(run("conv2d_filter_grad", attrs, {x, dy})[0].data, expected_df);
  }
}

TEST(Decompose, ConvolutionEpilogueReadsExtras) {
  const ConvCase& c = conv_cases()[0];
  const Array x = numbers(c.x, 1);
  const Array filter = numbers(c.filter, 2);
  const Array bias = numbers({4}, 3);
  Attrs attrs = c.attrs();
  const Array plain = run("conv2d", attrs, {x, filter})[0];
  attrs.set("epilogue", "maximum(i0 + i1, 0)");
  std::vector<double> expected;
  for (size_t i = 0; i < plain.data.size(); ++i) {
    expected.push_back(std::max(plain.data[i] + bias.data[i % 4], 0.0));
  }
  expect_near(run("conv2d_epilogue", attrs, {x, filter, bias})[0].data, expected);
  attrs.set("epilogue", "i0 >= 0");
  EXPECT_EQ(run("conv2d_epilogue", attrs, {x, filter})[0].type, plain.type);
  attrs.set("epilogue", "2");
  EXPECT_EQ(run("conv2d_epilogue", attrs, {x, filter})[0].data,
            std::vector<double>(plain.data.size(), 2));
}

TEST(Decompose, ConvolutionGradientEpilogueReadsExtras) {
  const Array dy = numbers({2, 4, 3, 4}, 1), filter = numbers({2, 2, 3, 4}, 2);
  const Array mask = numbers({2, 5, 4, 3}, 3);
  Attrs attrs = {{"input_shape", Ints{2, 5, 4, 3}}};
  const Array plain = run("conv2d_input_grad", attrs, {dy, filter})[0];
  std::vector<double> expected;
  for (size_t i = 0; i < plain.data.size(); ++i) {
    expected.push_back(mask.data[i] > 0 ? plain.data[i] : 0);
  }
  attrs.set("epilogue", "where(i1 > 0, i0, 0)");
  expect_near(run("conv2d_input_grad_epilogue", attrs, {dy, filter, mask})[0].data, expected);
}

struct PoolCase {
  Shape x;
  Ints size, strides, padding;
  Attrs attrs() const { return {{"pool_size", size}, {"strides", strides}, {"padding", padding}}; }
};

const std::vector<PoolCase>& pool_cases() {
  static const std::vector<PoolCase> cases = {
      {{2, 4, 6, 3}, {2, 2}, {2, 2}, {0, 0, 0, 0}},
      {{1, 5, 4, 2}, {3, 2}, {1, 2}, {1, 2, 0, 1}},
      {{1, 5, 7, 1}, {2, 3}, {3, 2}, {1, 0, 2, 2}},
  };
  return cases;
}

// Calls f(y offset, x offsets of the window's elements).
template <typename F>
void for_each_window(const PoolCase& c, const Shape& y, F f) {
  size_t to = 0;
  for (int64_t n = 0; n < y[0]; ++n)
    for (int64_t h = 0; h < y[1]; ++h)
      for (int64_t w = 0; w < y[2]; ++w)
        for (int64_t k = 0; k < y[3]; ++k) {
          std::vector<size_t> window;
          for (int64_t i = 0; i < c.size[0]; ++i)
            for (int64_t j = 0; j < c.size[1]; ++j) {
              const int64_t row = h * c.strides[0] + i - c.padding[0];
              const int64_t column = w * c.strides[1] + j - c.padding[2];
              if (row < 0 || row >= c.x[1] || column < 0 || column >= c.x[2]) continue;
              window.push_back(
                  static_cast<size_t>(((n * c.x[1] + row) * c.x[2] + column) * c.x[3] + k));
            }
          f(to++, window);
        }
}

TEST(Decompose, PoolsLookAtTheirWindows) {
  for (const PoolCase& c : pool_cases()) {
    SCOPED_TRACE(c.attrs().to_string());
    Array x = numbers(c.x, 1);
    for (double& value : x.data) value = std::round(value * 2);  // ties
    const Array largest = run("max_pool2d", c.attrs(), {x})[0];
    const Array mean = run("avg_pool2d", c.attrs(), {x})[0];
    const Array dy = numbers(largest.type.shape, 3);
    std::vector<double> expected_max(dy.data.size());
    std::vector<double> expected_mean(dy.data.size());
    std::vector<double> expected_max_grad(x.data.size(), 0);
    std::vector<double> expected_mean_grad(x.data.size(), 0);
    for_each_window(c, dy.type.shape, [&](size_t to, const std::vector<size_t>& window) {
      size_t best = window[0];
      double total = 0;
      for (size_t from : window) {
        if (x.data[from] > x.data[best]) best = from;
        total += x.data[from];
      }
      const double count = static_cast<double>(window.size());
      expected_max[to] = x.data[best];
      expected_mean[to] = total / count;
      expected_max_grad[best] += dy.data[to];
      for (size_t from : window) expected_mean_grad[from] += dy.data[to] / count;
    });
    expect_near(largest.data, expected_max);
    expect_near(mean.data, expected_mean);
    expect_near(run("max_pool2d_grad", c.attrs(), {x, dy})[0].data, expected_max_grad);
    Attrs attrs = c.attrs();
    attrs.set("input_shape", Ints(c.x.begin(), c.x.end()));
    expect_near(run("avg_pool2d_grad", attrs, {dy})[0].data, expected_mean_grad);
    const std::vector<Array> kept = run("max_pool2d_argmax", c.attrs(), {x});
    expect_near(kept[0].data, expected_max);
    expect_near(run("max_pool2d_argmax_grad", attrs, {dy, kept[1]})[0].data, expected_max_grad);
  }
}

TEST(Decompose, MaxPoolOfIntegersPadsBelowEverything) {
  const Array x{{DType::Int8, {1, 1, 1, 1}}, {-128}};
  const Attrs attrs = {
      {"pool_size", Ints{2, 2}}, {"strides", Ints{1, 1}}, {"padding", Ints{1, 0, 0, 1}}};
  EXPECT_EQ(run("max_pool2d", attrs, {x})[0].data, std::vector<double>{-128});
}

TEST(Decompose, StatisticsMatchTheirDefinitions) {
  const Array x = numbers({2, 3}, 1);
  const Attrs rows = {{"axes", Ints{1}}};
  std::vector<double> mean, variance, deviation, logsumexp;
  for (size_t row = 0; row < 2; ++row) {
    double total = 0, squares = 0, exponentials = 0;
    for (size_t i = 0; i < 3; ++i) total += x.data[row * 3 + i];
    for (size_t i = 0; i < 3; ++i) {
      squares += std::pow(x.data[row * 3 + i] - total / 3, 2);
      exponentials += std::exp(x.data[row * 3 + i]);
    }
    mean.push_back(total / 3);
    variance.push_back(squares / 3);
    deviation.push_back(std::sqrt(squares / 3));
    logsumexp.push_back(std::log(exponentials));
  }
  expect_near(run("mean", rows, {x})[0].data, mean);
  expect_near(run("var", rows, {x})[0].data, variance);
  expect_near(run("std", rows, {x})[0].data, deviation);
  expect_near(run("logsumexp", rows, {x})[0].data, logsumexp);
}

TEST(Decompose, LogsumexpSurvivesInfinities) {
  const double inf = std::numeric_limits<double>::infinity();
  const auto of = [](std::vector<double> data) {
    const Shape shape = {static_cast<int64_t>(data.size())};
    return run("logsumexp", {}, {{{DType::Float64, shape}, std::move(data)}})[0].data[0];
  };
  EXPECT_EQ(of({-inf, -inf}), -inf);
  EXPECT_EQ(of({-inf, 3}), 3);
  EXPECT_EQ(of({inf, 3}), inf);
  EXPECT_DOUBLE_EQ(of({1000, 1000}), 1000 + std::log(2));
}

TEST(Decompose, CrossEntropiesAgree) {
  const Array logits = numbers({2, 3}, 1);
  const Array labels{{DType::UInt8, {2}}, {2, 0}};
  const Array targets =
      run("one_hot", {{"num_classes", int64_t{3}}, {"dtype", DType::Float64}}, {labels})[0];
  EXPECT_EQ(targets.data, (std::vector<double>{0, 0, 1, 1, 0, 0}));
  const Array log_probabilities = run("log_softmax", {}, {logits})[0];
  const std::vector<double> expected = {-log_probabilities.data[2], -log_probabilities.data[3]};
  expect_near(run("sparse_softmax_cross_entropy", {}, {logits, labels})[0].data, expected);
  expect_near(run("softmax_cross_entropy", {}, {logits, targets})[0].data, expected);
  const Array probabilities = run("softmax", {}, {logits})[0];
  const Array dloss{{DType::Float64, {2}}, {1, 2}};
  std::vector<double> gradient;
  for (size_t i = 0; i < 6; ++i) {
    gradient.push_back((probabilities.data[i] - targets.data[i]) * dloss.data[i / 3]);
  }
  expect_near(run("sparse_softmax_cross_entropy_grad", {}, {logits, labels, dloss})[0].data,
              gradient);
}

TEST(Decompose, OneHotOfNarrowIndicesKnowsManyClasses) {
  const Array y = run("one_hot", {{"num_classes", int64_t{300}}}, {{{DType::UInt8, {1}}, {44}}})[0];
  EXPECT_EQ(y.data[44], 1);
  EXPECT_EQ(std::count(y.data.begin(), y.data.end(), 1), 1);
}

TEST(Decompose, BatchNormNormalizes) {
  const Array x = numbers({4, 3, 2}, 1);
  const Array gamma = numbers({2}, 2);
  const Array beta = numbers({2}, 3);
  const Attrs attrs = {{"epsilon", 0.1}};
  const std::vector<Array> trained = run("batch_norm_train", attrs, {x, gamma, beta});
  std::vector<double> expected(x.data.size());
  for (size_t k = 0; k < 2; ++k) {
    double mean = 0, variance = 0;
    for (size_t i = k; i < x.data.size(); i += 2) mean += x.data[i] / 12;
    for (size_t i = k; i < x.data.size(); i += 2) variance += std::pow(x.data[i] - mean, 2) / 12;
    EXPECT_NEAR(trained[1].data[k], mean, kTolerance);
    EXPECT_NEAR(trained[2].data[k], variance, kTolerance);
    for (size_t i = k; i < x.data.size(); i += 2) {
      expected[i] = (x.data[i] - mean) / std::sqrt(variance + 0.1) * gamma.data[k] + beta.data[k];
    }
  }
  expect_near(trained[0].data, expected);
  expect_near(run("batch_norm", attrs, {x, gamma, beta, trained[1], trained[2]})[0].data, expected);
}

TEST(Decompose, DropoutKeepsAndScalesByTheState) {
  const Array x = numbers({3, 5}, 1);
  const Array state{{DType::Int64, {2}}, {11, 4}};
  const std::vector<Array> outputs = run("dropout", {{"rate", 0.25}}, {x, state});
  for (size_t i = 0; i < x.data.size(); ++i) {
    const uint32_t word = philox_block(11, 4 + i / 4)[i % 4];
    const double u = (word >> 8) * 0x1p-24;
    EXPECT_DOUBLE_EQ(outputs[0].data[i], u >= 0.25 ? x.data[i] / 0.75 : 0);
  }
  EXPECT_EQ(outputs[1].data, (std::vector<double>{11, 8}));
  EXPECT_EQ(run("dropout", {{"rate", 1.0}}, {x, state})[0].data,
            std::vector<double>(x.data.size(), 0));
}

TEST(Decompose, SgdMovesAsKerasDoes) {
  const Array p = numbers({3}, 1), g = numbers({3}, 2), v = numbers({3}, 3);
  const Array q = numbers({2, 2}, 4), h = numbers({2, 2}, 5), u = numbers({2, 2}, 6);
  const Array lr{{DType::Float32, {}}, {0.125}};
  const std::vector<Array> plain = run("sgd", {}, {lr, p, q, g, h});
  ASSERT_EQ(plain.size(), 2u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(plain[0].data[i], p.data[i] - 0.125 * g.data[i], kTolerance);
  }
  for (const bool nesterov : {false, true}) {
    const std::vector<Array> moved =
        run("sgd", {{"momentum", 0.5}, {"nesterov", nesterov}}, {lr, p, q, g, h, v, u});
    ASSERT_EQ(moved.size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
      const double velocity = 0.5 * u.data[i] - 0.125 * h.data[i];
      const double step = nesterov ? 0.5 * velocity - 0.125 * h.data[i] : velocity;
      EXPECT_NEAR(moved[1].data[i], q.data[i] + step, kTolerance);
      EXPECT_NEAR(moved[3].data[i], velocity, kTolerance);
    }
  }
}

TEST(Decompose, AdamMovesAsKerasDoes) {
  const Array p = numbers({3}, 1), g = numbers({3}, 2), m = numbers({3}, 3);
  Array v = numbers({3}, 4);
  for (double& value : v.data) value = std::fabs(value);
  const Array lr{{DType::Float32, {}}, {0.01}};
  for (const double step : {0.0, 1.0, 1000.0}) {
    const std::vector<Array> moved =
        run("adam", {}, {lr, {{DType::Int64, {}}, {step}}, p, g, m, v});
    ASSERT_EQ(moved.size(), 3u);
    const double t = step + 1;
    const double rate = 0.01 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
    for (size_t i = 0; i < 3; ++i) {
      const double first = m.data[i] * 0.9 + g.data[i] * 0.1;
      const double second = v.data[i] * 0.999 + g.data[i] * g.data[i] * 0.001;
      // The learning rate and the rate are constants of float32.
      EXPECT_NEAR(moved[0].data[i], p.data[i] - rate * first / (std::sqrt(second) + 1e-7), 1e-8);
      EXPECT_NEAR(moved[1].data[i], first, kTolerance);
      EXPECT_NEAR(moved[2].data[i], second, kTolerance);
    }
  }
}

TEST(Decompose, FusedExpressionsBroadcastAndReduce) {
  const Array x = numbers({2, 3}, 1, DType::Float32);
  const Array row = numbers({3}, 2, DType::Float32);
  const Ints f32_and_bool = {static_cast<int64_t>(DType::Float32),
                             static_cast<int64_t>(DType::Bool)};
  const Attrs base = {{"expr", "t0 = i0 * i1; t0, t0 > 0"},
                      {"shape", Ints{4, 2, 3}},
                      {"compute", DType::Float32},
                      {"dtypes", f32_and_bool}};
  const std::vector<Array> plain = run("fused", base, {x, row});
  EXPECT_EQ(plain[0].type, (TensorType{DType::Float32, {4, 2, 3}}));
  EXPECT_EQ(plain[1].type, (TensorType{DType::Bool, {4, 2, 3}}));
  Attrs reduced = base;
  reduced.set("reduce", "sum,none");
  reduced.set("axes", Ints{1, 2});
  const std::vector<Array> sums = run("fused", reduced, {x, row});
  double total = 0;
  for (size_t i = 0; i < 6; ++i) {
    const double product = x.data[i] * row.data[i % 3];
    EXPECT_DOUBLE_EQ(plain[0].data[6 + i], product);
    EXPECT_EQ(plain[1].data[18 + i], product > 0);
    total += product;
  }
  ASSERT_EQ(sums[0].type, (TensorType{DType::Float32, {4}}));
  for (double sum : sums[0].data) EXPECT_NEAR(sum, total, kTolerance);
}

// A composite's decomposition gives the types that `infer` promised in every dtype it takes:
// ReferenceEmitter throws where it does not.
TEST(Decompose, KeepsTypesInEveryFloatingDType) {
  for (const DType dtype : {DType::Float16, DType::BFloat16, DType::Float32, DType::Float64}) {
    const auto tensor = [dtype](const Shape& shape) { return numbers(shape, 1, dtype); };
    const Array lr{{DType::Float32, {}}, {0.1}};
    const Array step{{DType::Int64, {}}, {0}};
    const Array state{{DType::Int64, {2}}, {1, 0}};
    const Array labels{{DType::Int8, {2}}, {0, 1}};
    for (const char* op : {"mean", "var", "std", "logsumexp"}) {
      run(op, {}, {tensor({2, 3})});
    }
    run("softmax", {}, {tensor({2, 3})});
    run("log_softmax", {}, {tensor({2, 3})});
    run("sparse_softmax_cross_entropy", {}, {tensor({2, 3}), labels});
    run("sparse_softmax_cross_entropy_grad", {}, {tensor({2, 3}), labels, tensor({2})});
    run("softmax_cross_entropy", {}, {tensor({2, 3}), tensor({2, 3})});
    run("batch_moments", {}, {tensor({4, 3})});
    run("batch_norm_train", {}, {tensor({4, 3}), tensor({3}), tensor({3})});
    run("batch_norm", {}, {tensor({4, 3}), tensor({3}), tensor({3}), tensor({3}), tensor({3})});
    run("conv2d", {}, {tensor({1, 3, 3, 2}), tensor({2, 2, 2, 1})});
    run("conv2d_epilogue", {{"epilogue", "i0 + i1"}},
        {tensor({1, 3, 3, 2}), tensor({2, 2, 2, 1}), numbers({1}, 1, DType::Float32)});
    run("conv2d_input_grad_epilogue", {{"epilogue", "-i0"}, {"input_shape", Ints{1, 3, 3, 2}}},
        {tensor({1, 2, 2, 1}), tensor({2, 2, 2, 1})});
    run("matmul_epilogue", {{"epilogue", "tanh(i0)"}}, {tensor({2, 3}), tensor({3, 2})});
    run("avg_pool2d", {{"pool_size", Ints{2, 2}}}, {tensor({1, 4, 4, 1})});
    run("dropout", {{"rate", 0.5}}, {tensor({3}), state});
    run("sgd", {{"momentum", 0.9}}, {lr, tensor({3}), tensor({3}), tensor({3})});
    run("adam", {}, {lr, step, tensor({3}), tensor({3}), tensor({3}), tensor({3})});
    run("one_hot", {{"num_classes", int64_t{2}}, {"dtype", dtype}}, {labels});
  }
  const Array wide = numbers({3}, 1, DType::Float32);
  const std::vector<Array> mixed =
      run("batch_norm_train", {}, {numbers({4, 3}, 1, DType::BFloat16), wide, wide});
  EXPECT_EQ(mixed[0].type.dtype, DType::BFloat16);
  EXPECT_EQ(mixed[1].type.dtype, DType::Float32);
}

}  // namespace
}  // namespace addax::test
