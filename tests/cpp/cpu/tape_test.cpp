#include <cmath>
#include <functional>
#include <limits>

#include "cpu/device_fixture.h"
#include "ops/scalar_expr.h"

namespace addax::cpu::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

struct Function {
  const char* op;
  std::function<double(double)> reference;
  double low, high;
  bool special = true;  // also try zero, infinities and NaN
};

// Distance of a float from the exact result, in units of the exact result's last place.
double ulps(double actual, double exact) {
  if (std::isnan(actual) && std::isnan(exact)) return 0;
  if (actual == exact) return 0;
  if (std::isinf(exact) || std::isnan(exact) || std::isnan(actual)) return kInfinity;
  if (std::isinf(actual)) return std::abs(exact) > 3.4028235e38 ? 0 : kInfinity;
  int exponent;
  std::frexp(exact, &exponent);
  return std::abs(actual - exact) / std::ldexp(1.0, std::max(exponent, -125) - 24);
}

class TapeLevels : public ::testing::TestWithParam<Isa> {
 protected:
  UseIsa isa_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, TapeLevels, ::testing::ValuesIn(levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST_P(TapeLevels, Float32FunctionsStayWithinFourUnitsInTheLastPlace) {
  const std::vector<Function> functions = {
      {"exp", [](double x) { return std::exp(x); }, -87, 88.7},
      {"expm1", [](double x) { return std::expm1(x); }, -20, 88.7},
      {"expm1", [](double x) { return std::expm1(x); }, -1, 1},
      {"log", [](double x) { return std::log(x); }, 1e-30, 1e30},
      {"log", [](double x) { return std::log(x); }, 0.5, 2},
      {"log1p", [](double x) { return std::log1p(x); }, -0.99, 1000},
      {"log1p", [](double x) { return std::log1p(x); }, -1e-3, 1e-3},
      {"tanh", [](double x) { return std::tanh(x); }, -10, 10},
      {"tanh", [](double x) { return std::tanh(x); }, -0.7, 0.7},
      {"erf", [](double x) { return std::erf(x); }, -5, 5},
      {"erf", [](double x) { return std::erf(x); }, -1, 1},
      {"sqrt", [](double x) { return std::sqrt(x); }, 0, 100},
      {"rsqrt", [](double x) { return 1 / std::sqrt(x); }, 1e-3, 100},
      {"sin", [](double x) { return std::sin(x); }, -100, 100, false},
      {"cos", [](double x) { return std::cos(x); }, -100, 100, false},
      {"tan", [](double x) { return std::tan(x); }, -100, 100, false},
      {"arctan", [](double x) { return std::atan(x); }, -100, 100, false},
      {"floor", [](double x) { return std::floor(x); }, -10, 10},
      {"ceil", [](double x) { return std::ceil(x); }, -10, 10},
      {"round", [](double x) { return std::nearbyint(x); }, -10, 10},
      {"abs", [](double x) { return std::abs(x); }, -10, 10},
      {"negative", [](double x) { return -x; }, -10, 10},
  };
  for (const Function& f : functions) {
    std::vector<double> x;
    constexpr int kCount = 20000;
    for (int i = 0; i <= kCount; ++i) {
      x.push_back(rounded(f.low + (f.high - f.low) * i / kCount, DType::Float32));
    }
    if (f.special) x.insert(x.end(), {0.0, 0.5, -0.5, 1.5, 2.5, kInfinity, -kInfinity, kNan, -1.0});
    const Shape shape{static_cast<int64_t>(x.size())};
    const Array y = run_node(f.op, {array(DType::Float32, shape, x)}, {{DType::Float32, shape}})[0];
    double worst = 0, at = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double error = ulps(y.values[i], f.reference(x[i]));
      if (!(error <= worst)) worst = error, at = x[i];
    }
    EXPECT_LE(worst, 4) << f.op << " at " << at;
    RecordProperty(std::string(f.op) + "_ulps", std::to_string(worst));
  }
}

TEST_P(TapeLevels, BinaryOpsFollowNumPy) {
  struct Case {
    const char* op;
    std::vector<double> a, b, expected;
  };
  const std::vector<Case> cases = {
      {"add", {1, -2}, {0.5, 7}, {1.5, 5}},
      {"subtract", {1, -2}, {0.5, 7}, {0.5, -9}},
      {"divide", {1, -1, 0}, {4, 0, 0}, {0.25, -kInfinity, kNan}},
      {"floor_divide",
       {7, -7, 7, -7, 1, 3},
       {2, 2, -2, -2, 0, kInfinity},
       {3, -4, -4, 3, kInfinity, 0}},
      {"mod", {7, -7, 7, -7, 5.5, 6}, {2, 2, -2, -2, -2, 3}, {1, 1, -1, -1, -0.5, 0}},
      {"power", {2, 9, -2, 0}, {10, 0.5, 3, 0}, {1024, 3, -8, 1}},
      {"maximum", {1, kNan, 3, -kInfinity}, {2, 1, kNan, 0}, {2, kNan, kNan, 0}},
      {"minimum", {1, kNan, 3, -kInfinity}, {2, 1, kNan, 0}, {1, kNan, kNan, -kInfinity}},
      {"arctan2", {1, -1, 0}, {0, 0, -1}, {std::atan2(1, 0), std::atan2(-1, 0), std::atan2(0, -1)}},
  };
  for (DType type : {DType::Float32, DType::Float64}) {
    for (const Case& c : cases) {
      const Shape shape{static_cast<int64_t>(c.a.size())};
      const auto y =
          run_node(c.op, {array(type, shape, c.a), array(type, shape, c.b)}, {{type, shape}});
      SCOPED_TRACE(c.op);
      expect_close(y[0], {type, shape, c.expected}, type == DType::Float32 ? 2e-7 : 1e-15);
    }
  }
}

TEST_P(TapeLevels, IntegersDivideDownwardsAndWrap) {
  const Shape six{6};
  const Array a = array(DType::Int32, six, {7, -7, 7, -7, 5, 2147483647});
  const Array b = array(DType::Int32, six, {2, 2, -2, -2, 0, 1});
  EXPECT_EQ(run_node("floor_divide", {a, b}, {{DType::Int32, six}})[0].values,
            (std::vector<double>{3, -4, -4, 3, 0, 2147483647}));
  EXPECT_EQ(run_node("mod", {a, b}, {{DType::Int32, six}})[0].values,
            (std::vector<double>{1, 1, -1, -1, 0, 0}));
  EXPECT_EQ(run_node("add", {a, b}, {{DType::Int32, six}})[0].values,
            (std::vector<double>{9, -5, 5, -9, 5, -2147483648.0}));
  EXPECT_EQ(run_node("power",
                     {array(DType::Int64, {3}, {3, -2, 2}), array(DType::Int64, {3}, {4, 3, -1})},
                     {{DType::Int64, {3}}})[0]
                .values,
            (std::vector<double>{81, -8, 0}));
}

TEST_P(TapeLevels, CastsBetweenAllDTypes) {
  const DType all[] = {DType::Bool,    DType::UInt8,    DType::Int8,    DType::Int32,  DType::Int64,
                       DType::Float16, DType::BFloat16, DType::Float32, DType::Float64};
  const Shape shape{19};
  for (DType from : all) {
    for (DType to : all) {
      Array x{from, shape, {}};
      for (int i = 0; i < 19; ++i) {
        const double value = from == DType::UInt8 || from == DType::Bool ? i * 6.0 : (i - 9) * 6.75;
        x.values.push_back(rounded(is_floating(from) ? value : std::trunc(value), from));
      }
      Array expected{to, shape, {}};
      for (double value : x.values) {
        double stored = is_floating(to) || to == DType::Bool ? value : std::trunc(value);
        if (to == DType::UInt8 && stored < 0) stored += 256;
        expected.values.push_back(rounded(stored, to));
      }
      SCOPED_TRACE(std::string(name(from)) + " to " + std::string(name(to)));
      const Array y = run_node("cast", {x}, {{to, shape}}, {dtype("dtype", to)})[0];
      EXPECT_EQ(y.values, expected.values);
    }
  }
}

TEST_P(TapeLevels, DoublesRoundOnceToSixteenBits) {
  // Just above the middle of two neighbours: rounding to float32 first would land on the tie.
  const double f16_tie = 1 + 0x1p-11, bf16_tie = 1 + 0x1p-8;
  const Array x = array(DType::Float64, {2}, {f16_tie + 0x1p-40, bf16_tie + 0x1p-40});
  EXPECT_EQ(
      run_node("cast", {x}, {{DType::Float16, {2}}}, {dtype("dtype", DType::Float16)})[0].values[0],
      1 + 0x1p-10);
  EXPECT_EQ(run_node("cast", {x}, {{DType::BFloat16, {2}}}, {dtype("dtype", DType::BFloat16)})[0]
                .values[1],
            1 + 0x1p-7);
}

// A reference for two-operand broadcasting.
Array broadcast_apply(const Array& a, const Array& b,
                      const std::function<double(double, double)>& f, DType type) {
  const Shape shape = *broadcast(a.shape, b.shape);
  Array result{type, shape, {}};
  const auto pick = [&](const Array& x, int64_t flat) {
    int64_t index = 0, step = 1;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const int64_t i = flat % shape[axis];
      flat /= shape[axis];
      const int own = axis - (shape.rank() - x.shape.rank());
      if (own < 0) continue;
      if (x.shape[own] != 1) index += i * step;
      step *= x.shape[own];
    }
    return x.values[static_cast<size_t>(index)];
  };
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    result.values.push_back(rounded(f(pick(a, i), pick(b, i)), type));
  }
  return result;
}

TEST_P(TapeLevels, Broadcasts) {
  const std::vector<std::pair<Shape, Shape>> shapes = {{{5}, {5}},
                                                       {{3, 5}, {5}},
                                                       {{3, 5}, {3, 1}},
                                                       {{3, 1}, {1, 5}},
                                                       {{}, {7}},
                                                       {{2, 3, 4}, {3, 1}},
                                                       {{300, 700}, {700}},
                                                       {{300, 700}, {300, 1}},
                                                       {{4, 1, 3}, {2, 1}},
                                                       {{1, 1}, {1}},
                                                       {{0, 3}, {3}},
                                                       {{3, 0}, {3, 1}},
                                                       {{64, 128}, {64, 128}},
                                                       {{2, 1, 3, 1, 2}, {5, 1, 4, 1}},
                                                       {{1024}, {1}},
                                                       {{16}, {}},
                                                       {{100, 64}, {64}},
                                                       {{40, 96}, {96}},
                                                       {{5, 2048}, {2048}},
                                                       {{30, 4, 32}, {4, 1}},
                                                       {{9, 30, 4, 32}, {30, 1, 32}}};
  for (DType type : {DType::Float32, DType::Float64, DType::Int32, DType::BFloat16}) {
    for (const auto& [sa, sb] : shapes) {
      const Array a = random_array(type, sa, 1, -50, 50), b = random_array(type, sb, 2, -50, 50);
      const Array expected = broadcast_apply(
          a, b, [](double x, double y) { return x - y; }, type);
      const Array y = run_node("subtract", {a, b}, {{type, expected.shape}})[0];
      SCOPED_TRACE(sa.to_string() + " and " + sb.to_string());
      EXPECT_EQ(y.values, expected.values);
    }
  }
}

std::vector<Attr> fused(std::string expr, const Shape& shape, DType compute,
                        std::string reduce = "", std::vector<int64_t> axes = {}) {
  return {text("expr", std::move(expr)),
          ints("shape", std::vector<int64_t>(shape.begin(), shape.end())),
          dtype("compute", compute),
          ints("dtypes", {}),
          text("reduce", std::move(reduce)),
          ints("axes", std::move(axes))};
}

TEST_P(TapeLevels, FusedSharesValuesAndWritesSeveralOutputs) {
  const Shape shape{37, 51};
  const Array x = random_array(DType::Float32, shape, 3);
  const Array b = random_array(DType::Float16, {51}, 4);
  const auto y = run_node(
      "fused", {x, b}, {{DType::Float32, shape}, {DType::Bool, shape}, {DType::Int32, shape}},
      fused("t = i0 * 2 + i1; maximum(t, 0), t > 0, t * 10", shape, DType::Float32));
  for (size_t i = 0; i < x.values.size(); ++i) {
    const float t = static_cast<float>(x.values[i]) * 2 + static_cast<float>(b.values[i % 51]);
    ASSERT_FLOAT_EQ(static_cast<float>(y[0].values[i]), std::max(t, 0.f));
    ASSERT_EQ(y[1].values[i], t > 0 ? 1 : 0);
    ASSERT_EQ(y[2].values[i], std::trunc(t * 10));
  }
}

TEST_P(TapeLevels, FusedKeepsValuesUntilTheirLastUse) {
  // Every position of the value at hand among an op's operands, and operands that repeat.
  const std::string expr =
      "a = i0 + i1; b = i0 - i2; c = where(i1 > 0, a, b); d = where(a, c, i2);"
      "e = where(i2, i1, d); a * a, b * a - c / (d * d + 1), where(e, e, c), i1";
  const auto reference = ScalarExpr::parse(expr, std::vector<std::string>{"i0", "i1", "i2"});
  for (const int64_t rows : {1, 3, 40, 700}) {
    for (const int64_t cols : {1, 5, 16, 64, 100, 2048}) {
      const Shape shape{rows, cols};
      const Array x = random_array(DType::Float32, shape, 1);
      const Array y = random_array(DType::BFloat16, shape, 2);
      const Array z = random_array(DType::Float32, {cols}, 3);
      const auto results = run_node("fused", {x, y, z},
                                    {{DType::Float32, shape},
                                     {DType::Float32, shape},
                                     {DType::BFloat16, shape},
                                     {DType::Float32, shape}},
                                    fused(expr, shape, DType::Float32));
      SCOPED_TRACE(shape.to_string());
      for (size_t i = 0; i < x.values.size(); ++i) {
        const double inputs[] = {x.values[i], y.values[i], z.values[i % static_cast<size_t>(cols)]};
        const std::vector<double> expected = addax::evaluate(reference, inputs);
        for (size_t output = 0; output < expected.size(); ++output) {
          // Float32 terms below 128 after fewer than eight roundings, bfloat16 ones below 16.
          const double tolerance = output == 2 ? 16 * 0x1p-9 : 128 * 8 * 0x1p-24;
          ASSERT_NEAR(results[output].values[i], expected[output], tolerance) << i;
        }
      }
    }
  }
}

TEST_P(TapeLevels, FusedWorksInPlace) {
  const Shape shape{3001};
  const Array x = random_array(DType::Float32, shape, 5),
              y = random_array(DType::Float32, shape, 6);
  GraphBuilder builder;
  const int32_t a = builder.input(x), b = builder.input(y);
  const int32_t out_a = builder.output_in_place(a), out_b = builder.output_in_place(b);
  // Each output overwrites an input that the other one still needs.
  builder.node("fused", {a, b}, {out_a, out_b}, fused("i0 - i1, i0 * i1", shape, DType::Float32));
  builder.run();
  for (size_t i = 0; i < x.values.size(); ++i) {
    const float p = static_cast<float>(x.values[i]), q = static_cast<float>(y.values[i]);
    ASSERT_EQ(builder.value(out_a).values[i], p - q);
    ASSERT_EQ(builder.value(out_b).values[i], p * q);
  }
}

TEST_P(TapeLevels, FusedWithoutInputsOrWithScalarResult) {
  const Shape shape{130};
  const auto y = run_node("fused", {array(DType::Float32, {}, {3})},
                          {{DType::Float32, shape}, {DType::Float32, {}}},
                          fused("i0 * 2, i0 + 1", shape, DType::Float32, "none,sum", {0}));
  EXPECT_EQ(y[0].values, std::vector<double>(130, 6));
  EXPECT_EQ(y[1].values, std::vector<double>{520});
  const auto z = run_node("fused", {}, {{DType::Int64, {9}}}, fused("4", {9}, DType::Int64));
  EXPECT_EQ(z[0].values, std::vector<double>(9, 4));
}

TEST_P(TapeLevels, FusedReducesWithOneOperandPerColumn) {
  for (const Shape& shape : {Shape{777, 64}, Shape{300, 96}, Shape{33, 2048}, Shape{50, 1100}}) {
    const auto rows = static_cast<size_t>(shape[0]), cols = static_cast<size_t>(shape[1]);
    const Array x = random_array(DType::Float32, shape, 8, -9, 9),
                m = random_array(DType::Float32, {shape[1]}, 9, -9, 9);
    const auto y = run_node("fused", {x, m}, {{DType::Float32, {shape[1]}}},
                            fused("i0 - i1", shape, DType::Float32, "sum", {0}));
    std::vector<double> sum(cols, 0);
    for (size_t i = 0; i < rows * cols; ++i) sum[i % cols] += x.values[i] - m.values[i % cols];
    SCOPED_TRACE(shape.to_string());
    // Every term is below 20, every sum's error below the depth of its tree times that of all.
    expect_close(y[0], {DType::Float32, {shape[1]}, sum}, 0,
                 20 * 0x1p-24 * static_cast<double>(rows) * std::log2(static_cast<double>(rows)));
  }
}

TEST_P(TapeLevels, FusedReducesTrailingAndLeadingAxes) {
  for (const Shape& shape : {Shape{32, 10}, Shape{7, 3000}, Shape{3, 5, 11}, Shape{2000, 3},
                             Shape{1, 70000}, Shape{500, 1100}, Shape{9, 1}, Shape{4, 0}}) {
    for (bool trailing : {true, false}) {
      const int64_t last = shape[shape.rank() - 1];
      const int64_t first = last == 0 ? 4 : shape.num_elements() / last;
      const Array x = random_array(DType::Float32, shape, 7);
      const Shape kept = trailing ? Shape{first} : Shape{last};
      std::vector<int64_t> axes = {shape.rank() - 1};
      if (!trailing) axes.assign(1, 0);
      if (!trailing && shape.rank() == 3) axes.push_back(1);
      const auto y = run_node(
          "fused", {x}, {{DType::Float32, kept}, {DType::Float32, shape}, {DType::Float32, kept}},
          fused("t = i0 * i0; t, t, i0", shape, DType::Float32, "sum,none,max", axes));
      std::vector<double> sum(static_cast<size_t>(kept.num_elements()), 0),
          greatest(sum.size(), -kInfinity);
      for (int64_t i = 0; i < shape.num_elements(); ++i) {
        const auto at = static_cast<size_t>(trailing ? i / last : i % last);
        const double v = x.values[static_cast<size_t>(i)];
        sum[at] += v * v;
        greatest[at] = std::max(greatest[at], v);
        ASSERT_FLOAT_EQ(static_cast<float>(y[1].values[static_cast<size_t>(i)]),
                        static_cast<float>(v * v));
      }
      SCOPED_TRACE(shape.to_string() + (trailing ? " trailing" : " leading"));
      // Positive terms: the relative error is at most the depth of the tree times 2^-24.
      expect_close(y[0], {DType::Float32, kept, sum}, 2e-6);
      EXPECT_EQ(y[2].values, greatest);
    }
  }
}

}  // namespace
}  // namespace addax::cpu::testing
