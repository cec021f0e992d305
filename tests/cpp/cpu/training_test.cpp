#include <cmath>
#include <map>
#include <set>

#include "core/philox.h"
#include "cpu/device_fixture.h"
#include "cpu/random/normal_quantile.h"

namespace addax::cpu::testing {
namespace {

class TrainingLevels : public ::testing::TestWithParam<Isa> {
 protected:
  UseIsa isa_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, TrainingLevels, ::testing::ValuesIn(levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

std::vector<double> softmax_row(const double* x, size_t cols, size_t stride, bool logarithm) {
  double most = x[0], sum = 0;
  for (size_t j = 0; j < cols; ++j) most = std::max(most, x[j * stride]);
  for (size_t j = 0; j < cols; ++j) sum += std::exp(x[j * stride] - most);
  std::vector<double> y;
  for (size_t j = 0; j < cols; ++j) {
    const double shifted = x[j * stride] - most;
    y.push_back(logarithm ? shifted - std::log(sum) : std::exp(shifted) / sum);
  }
  return y;
}

TEST_P(TrainingLevels, SoftmaxAlongAnyAxis) {
  struct Case {
    Shape shape;
    int axis;
  };
  const std::vector<Case> cases = {{{32, 10}, 1}, {{3, 5000}, 1}, {{4, 7, 3}, 1}, {{6, 2}, 0},
                                   {{1, 1}, 1},   {{700, 16}, 1}, {{0, 4}, 1}};
  for (DType type : {DType::Float32, DType::Float64, DType::BFloat16}) {
    for (const Case& c : cases) {
      Array x = random_array(type, c.shape, 21);
      for (double& v : x.values) v = rounded(v * 5, type);
      for (bool logarithm : {false, true}) {
        Array expected{type, c.shape, std::vector<double>(x.values.size())};
        const auto cols = static_cast<size_t>(c.shape[c.axis]);
        size_t inner = 1;
        for (int axis = c.axis + 1; axis < c.shape.rank(); ++axis)
          inner *= static_cast<size_t>(c.shape[axis]);
        for (size_t row = 0; row < x.values.size() / cols; ++row) {
          const size_t first = row / inner * cols * inner + row % inner;
          const auto y = softmax_row(x.values.data() + first, cols, inner, logarithm);
          for (size_t j = 0; j < cols; ++j) expected.values[first + j * inner] = y[j];
        }
        const double unit =
            type == DType::Float32 ? 0x1p-23 : (type == DType::Float64 ? 0x1p-52 : 0x1p-7);
        SCOPED_TRACE(c.shape.to_string());
        // exp of a shifted logit within 2 ulp of an argument that is rounded at up to 2^5, a sum
        // and a quotient. The sum is at least 1 and rounded there, which its logarithm keeps as an
        // absolute error.
        expect_close(run_node(logarithm ? "log_softmax" : "softmax", {x}, {{type, c.shape}},
                              {integer("axis", c.axis)})[0],
                     expected, type == DType::BFloat16 ? unit : 40 * unit,
                     logarithm ? 8 * unit : 1e-37);
      }
    }
  }
}

TEST_P(TrainingLevels, CrossEntropyAndItsGradient) {
  for (DType type : {DType::Float32, DType::Float64}) {
    const Array x = random_array(type, {300, 10}, 22);
    const Array labels = random_array(DType::UInt8, {300}, 23, 0, 10);
    const Array dloss = random_array(type, {300}, 24);
    Array loss{type, {300}, {}}, gradient{type, {300, 10}, {}};
    for (size_t i = 0; i < 300; ++i) {
      const auto logs = softmax_row(x.values.data() + i * 10, 10, 1, true);
      const auto label = static_cast<size_t>(labels.values[i]);
      loss.values.push_back(-logs[label]);
      for (size_t j = 0; j < 10; ++j) {
        gradient.values.push_back((std::exp(logs[j]) - (j == label ? 1 : 0)) * dloss.values[i]);
      }
    }
    const double unit = type == DType::Float32 ? 0x1p-23 : 0x1p-52;
    expect_close(run_node("sparse_softmax_cross_entropy", {x, labels}, {{type, {300}}})[0], loss,
                 8 * unit, 8 * unit);
    expect_close(
        run_node("sparse_softmax_cross_entropy_grad", {x, labels, dloss}, {{type, {300, 10}}})[0],
        gradient, 16 * unit, 16 * unit);
  }
}

TEST_P(TrainingLevels, CrossEntropyNamesTheFirstWrongLabel) {
  GraphBuilder builder;
  const int32_t x = builder.input(random_array(DType::Float32, {2000, 10}, 1));
  Array labels{DType::Int64, {2000}, std::vector<double>(2000, 9)};
  labels.values[1234] = 10;
  labels.values[1900] = -1;
  const int32_t t = builder.input(labels);
  builder.node("sparse_softmax_cross_entropy", {x, t}, {builder.output(DType::Float32, {2000})});
  for (bool reverse : {false, true}) {
    set_reverse_chunks(reverse);
    adx_control control = {};
    control.struct_size = sizeof(control);
    control.failed_node = -1;
    builder.run(1, &control);
    EXPECT_EQ(control.failed_node, 0);
    EXPECT_EQ(control.failed_index, 1234);
    EXPECT_EQ(control.failed_value, 10);
  }
  set_reverse_chunks(false);
}

TEST_P(TrainingLevels, AdamFollowsKeras) {
  for (DType type : {DType::Float32, DType::Float64}) {
    const std::vector<Shape> shapes = {{784, 13}, {13}, {1}, {5, 257}};
    GraphBuilder builder;
    const double lr = rounded(0.01, DType::Float32);
    std::vector<int32_t> inputs = {builder.input(array(DType::Float32, {}, {lr})),
                                   builder.input(array(DType::Int64, {}, {4}))};
    std::vector<int32_t> outputs;
    std::vector<Array> values;
    for (uint32_t group = 0; group < 4; ++group) {
      for (uint32_t i = 0; i < shapes.size(); ++i) {
        Array x = random_array(type, shapes[i], 100 * group + i);
        if (group == 3) {
          for (double& v : x.values) v = rounded(v * v, type);
          x.values[0] = 0;
        }
        if (group == 1) x.values[0] = 0;
        values.push_back(x);
        inputs.push_back(builder.input(x));
      }
    }
    const size_t count = shapes.size();
    for (size_t group : {0, 2, 3}) {
      for (size_t i = 0; i < count; ++i)
        outputs.push_back(builder.output_in_place(inputs[2 + group * count + i]));
    }
    builder.node("adam", inputs, outputs,
                 {number("beta_1", 0.9), number("beta_2", 0.999), number("epsilon", 1e-7),
                  integer("count", 4)});
    builder.run();
    const auto alpha =
        static_cast<double>(lr * std::sqrt(1 - std::pow(static_cast<long double>(0.999), 5)) /
                            (1 - std::pow(static_cast<long double>(0.9), 5)));
    const double unit = type == DType::Float32 ? 0x1p-24 : 0x1p-53;
    for (size_t i = 0; i < count; ++i) {
      Array p = values[i], m = values[2 * count + i], v = values[3 * count + i], change = p;
      for (size_t j = 0; j < p.values.size(); ++j) {
        const double g = values[count + i].values[j];
        m.values[j] += (g - m.values[j]) * (1 - 0.9);
        v.values[j] += (g * g - v.values[j]) * (1 - 0.999);
        change.values[j] = alpha * m.values[j] / (std::sqrt(v.values[j]) + 1e-7);
        p.values[j] -= change.values[j];
      }
      expect_close(builder.value(outputs[count + i]), m, 8 * unit, 8 * unit);
      expect_close(builder.value(outputs[2 * count + i]), v, 8 * unit, 8 * unit);
      // The change within a millionth of itself, and the rounding of the sum.
      const Array actual = builder.value(outputs[i]);
      for (size_t j = 0; j < p.values.size(); ++j) {
        const double bound =
            (type == DType::Float32 ? 1e-6 : 8 * unit) * std::abs(change.values[j]) +
            2 * unit * std::abs(p.values[j]) +
            // m may cancel
            8 * unit * alpha / (std::sqrt(v.values[j]) + 1e-7);
        ASSERT_NEAR(actual.values[j], p.values[j], bound);
      }
    }
  }
}

TEST_P(TrainingLevels, SgdWithAndWithoutMomentum) {
  for (double momentum : {0.0, 0.9}) {
    for (bool nesterov : {false, true}) {
      const Array lr = array(DType::Float32, {}, {0.5});
      const Array p = random_array(DType::Float32, {1000}, 1),
                  g = random_array(DType::Float32, {1000}, 2),
                  v = random_array(DType::Float32, {1000}, 3);
      std::vector<Array> inputs = {lr, p, g};
      std::vector<std::pair<DType, Shape>> outputs = {{DType::Float32, {1000}}};
      if (momentum != 0) {
        inputs.push_back(v);
        outputs.push_back(outputs[0]);
      }
      const auto y =
          run_node("sgd", inputs, outputs,
                   {number("momentum", momentum), flag("nesterov", nesterov), integer("count", 1)});
      Array next_p = p, next_v = v;
      for (size_t i = 0; i < 1000; ++i) {
        next_v.values[i] = momentum * v.values[i] - 0.5 * g.values[i];
        const double change = nesterov && momentum != 0
                                  ? momentum * next_v.values[i] - 0.5 * g.values[i]
                                  : next_v.values[i];
        next_p.values[i] = p.values[i] + change;
      }
      expect_close(y[0], next_p, 2e-7, 5e-7);
      if (momentum != 0) expect_close(y[1], next_v, 2e-7, 5e-7);
    }
  }
}

TEST_P(TrainingLevels, UniformNumbersComeFromPhilox) {
  const Array state = array(DType::Int64, {2}, {0x1234567890, 77});
  const auto y =
      run_node("random_uniform", {state}, {{DType::Float32, {1001}}, {DType::Int64, {2}}},
               {ints("shape", {1001}), number("minval", -1), number("maxval", 3),
                dtype("dtype", DType::Float32)});
  for (size_t i = 0; i < 1001; ++i) {
    const uint32_t word = philox_block(0x1234567890, 77 + i / 4)[i % 4];
    ASSERT_EQ(y[0].values[i], -1.f + static_cast<float>(word >> 8) * 0x1p-24f * 4.f);
  }
  EXPECT_EQ(y[1].values, (std::vector<double>{0x1234567890, 77 + 251}));
}

TEST(Random, NormalQuantilesInvertTheDistribution) {
  for (double p = 1e-9; p < 1; p = p < 0.01 ? p * 3 : p + 0.013) {
    EXPECT_NEAR(0.5 * std::erfc(-normal_quantile(p) / std::sqrt(2.0)) / p, 1, 1e-13) << p;
  }
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
}

TEST(Random, NormalNumbersHaveTheirMoments) {
  const Array state = array(DType::Int64, {2}, {42, 0});
  for (bool truncated : {false, true}) {
    const auto y =
        run_node("random_normal", {state}, {{DType::Float64, {200000}}, {DType::Int64, {2}}},
                 {ints("shape", {200000}), number("mean", 3), number("stddev", 2),
                  flag("truncated", truncated), dtype("dtype", DType::Float64)})[0];
    double sum = 0, squares = 0, furthest = 0;
    for (double v : y.values) {
      sum += v - 3;
      squares += (v - 3) * (v - 3);
      furthest = std::max(furthest, std::abs(v - 3));
    }
    // Four standard errors of the mean and of the variance.
    EXPECT_NEAR(sum / 200000, 0, 4 * 2 / std::sqrt(200000.0));
    const double deviation = truncated ? 0.87962566 * 2 : 2;
    EXPECT_NEAR(std::sqrt(squares / 200000), deviation, 0.02);
    if (truncated) {
      EXPECT_LE(furthest, 4);
    }
  }
}

TEST_P(TrainingLevels, BatchIndicesPermuteEveryPass) {
  for (int64_t n : {1, 2, 5, 17, 64, 1000}) {
    for (bool shuffle : {false, true}) {
      std::multiset<double> seen;
      std::vector<double> order;
      const int64_t batch = std::min<int64_t>(n, 4);
      for (int64_t cursor = 0; cursor < n / batch; ++cursor) {
        const auto y =
            run_node("batch_indices",
                     {array(DType::Int64, {}, {static_cast<double>(cursor)}),
                      array(DType::Int64, {2}, {9, 3})},
                     {{DType::Int64, {batch}}},
                     {integer("n", n), integer("batch", batch), flag("shuffle", shuffle)})[0];
        seen.insert(y.values.begin(), y.values.end());
        order.insert(order.end(), y.values.begin(), y.values.end());
      }
      EXPECT_EQ(seen.size(), static_cast<size_t>(n / batch * batch));
      EXPECT_EQ(std::set<double>(seen.begin(), seen.end()).size(), seen.size());
      EXPECT_TRUE(seen.empty() || (*seen.begin() >= 0 && *seen.rbegin() < static_cast<double>(n)));
      if (n == 1000) {
        EXPECT_EQ(std::is_sorted(order.begin(), order.end()), !shuffle);
      }
    }
  }
}

TEST_P(TrainingLevels, BatchIndicesReportAPositionBehindTheEnd) {
  GraphBuilder builder;
  const int32_t cursor = builder.input(array(DType::Int64, {}, {2}));
  const int32_t key = builder.input(array(DType::Int64, {2}, {0, 0}));
  builder.node("batch_indices", {cursor, key}, {builder.output(DType::Int64, {4})},
               {integer("n", 10), integer("batch", 4), flag("shuffle", true)});
  adx_control control = {};
  control.struct_size = sizeof(control);
  builder.run(1, &control);
  EXPECT_EQ(control.failed_node, 0);
  EXPECT_EQ(control.failed_index, 2);
}

}  // namespace
}  // namespace addax::cpu::testing
