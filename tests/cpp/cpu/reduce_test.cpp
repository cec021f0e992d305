#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/device_fixture.h"

namespace addax::cpu::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

class ReduceLevels : public ::testing::TestWithParam<Isa> {
 protected:
  UseIsa isa_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, ReduceLevels, ::testing::ValuesIn(levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

struct Reference {
  Shape shape;
  std::vector<std::vector<double>> groups;  // the elements that each result reduces, in order
};

Reference group_by_kept(const Array& x, const std::vector<int64_t>& axes) {
  const auto reduced = [&](int axis) {
    return std::find(axes.begin(), axes.end(), axis) != axes.end();
  };
  std::vector<int64_t> dims;
  for (int axis = 0; axis < x.shape.rank(); ++axis) {
    if (!reduced(axis)) dims.push_back(x.shape[axis]);
  }
  Reference result{Shape(dims), {}};
  result.groups.resize(static_cast<size_t>(result.shape.num_elements()));
  for (size_t i = 0; i < x.values.size(); ++i) {
    int64_t flat = static_cast<int64_t>(i), index = 0, step = 1;
    for (int axis = x.shape.rank() - 1; axis >= 0; --axis) {
      const int64_t position = flat % x.shape[axis];
      flat /= x.shape[axis];
      if (reduced(axis)) continue;
      index += position * step;
      step *= x.shape[axis];
    }
    result.groups[static_cast<size_t>(index)].push_back(x.values[i]);
  }
  return result;
}

struct Case {
  Shape shape;
  std::vector<int64_t> axes;
};
const std::vector<Case> kCases = {
    {{10}, {0}},
    {{3, 4}, {0}},
    {{3, 4}, {1}},
    {{3, 4}, {0, 1}},
    {{2, 3, 4}, {1}},
    {{2, 3, 4}, {0, 2}},
    {{5, 6, 7, 8}, {1, 3}},
    {{5, 6, 7, 8}, {0, 2}},
    {{100000}, {0}},
    {{40000, 3}, {0}},
    {{3, 40000}, {1}},
    {{17, 2050}, {0}},
    {{2, 300, 65}, {1}},
    {{4, 1, 5}, {1}},
    {{64, 7, 7, 32}, {0, 1, 2}},
    {{}, {}},
};

TEST_P(ReduceLevels, SumsAndExtremesOverAnyAxes) {
  for (const Case& c : kCases) {
    const Array x = random_array(DType::Float32, c.shape, 11);
    const Reference reference = group_by_kept(x, c.axes);
    Array sum{DType::Float32, reference.shape, {}}, most = sum, least = sum;
    double magnitude = 0;
    for (const auto& group : reference.groups) {
      double total = 0, absolute = 0;
      for (double v : group) total += v, absolute += std::abs(v);
      sum.values.push_back(total);
      most.values.push_back(*std::max_element(group.begin(), group.end()));
      least.values.push_back(*std::min_element(group.begin(), group.end()));
      magnitude = std::max(magnitude, absolute);
    }
    SCOPED_TRACE(c.shape.to_string());
    const std::vector<std::pair<DType, Shape>> out = {{DType::Float32, reference.shape}};
    const std::vector<Attr> attrs = {ints("axes", c.axes), flag("keepdims", false)};
    // At most 150 roundings lie between an element and the result, each of at most 2^-24 of the sum
    // of magnitudes.
    const double bound = 150 * 0x1p-24 * magnitude;
    expect_close(run_node("sum", {x}, out, attrs)[0], sum, 0, bound);
    EXPECT_EQ(run_node("max", {x}, out, attrs)[0].values, most.values);
    EXPECT_EQ(run_node("min", {x}, out, attrs)[0].values, least.values);
  }
}

TEST_P(ReduceLevels, LongSumsKeepTheirDigits) {
  constexpr int64_t kCount = 4'000'000;
  Array x{DType::Float32, {kCount}, std::vector<double>(kCount, rounded(0.1, DType::Float32))};
  const double exact = kCount * x.values[0];
  const double error =
      run_node("sum", {x}, {{DType::Float32, {}}}, {ints("axes", {0})})[0].values[0] - exact;
  EXPECT_LE(std::abs(error) / exact, 3e-7);
  x.shape = {kCount / 4, 4};
  const Array columns = run_node("sum", {x}, {{DType::Float32, {4}}}, {ints("axes", {0})})[0];
  for (double value : columns.values) EXPECT_LE(std::abs(value - exact / 4) / exact * 4, 1e-6);
}

TEST_P(ReduceLevels, IntegersAndTruthValues) {
  const Array bytes = random_array(DType::UInt8, {50, 30}, 3, 0, 256);
  const Reference reference = group_by_kept(bytes, {1});
  Array sum{DType::Int32, {50}, {}};
  for (const auto& group : reference.groups) {
    double total = 0;
    for (double v : group) total += v;
    sum.values.push_back(total);
  }
  EXPECT_EQ(run_node("sum", {bytes}, {{DType::Int32, {50}}}, {ints("axes", {1})})[0].values,
            sum.values);
  const Array product = array(DType::Int64, {2, 3}, {2, 3, -4, 5, 0, 7});
  EXPECT_EQ(run_node("prod", {product}, {{DType::Int64, {2}}}, {ints("axes", {1})})[0].values,
            (std::vector<double>{-24, 0}));
  const Array halves = array(DType::Float32, {2, 2}, {0.25, 0.5, 0, 0.5});
  EXPECT_EQ(run_node("all", {halves}, {{DType::Bool, {2}}}, {ints("axes", {1})})[0].values,
            (std::vector<double>{1, 0}));
  const Array truths = array(DType::Bool, {2, 2}, {0, 0, 0, 1});
  EXPECT_EQ(run_node("any", {truths}, {{DType::Bool, {2}}}, {ints("axes", {1})})[0].values,
            (std::vector<double>{0, 1}));
}

TEST_P(ReduceLevels, EmptyExtentsAndNan) {
  const Array empty{DType::Float32, {3, 0}, {}};
  EXPECT_EQ(run_node("sum", {empty}, {{DType::Float32, {3}}}, {ints("axes", {1})})[0].values,
            (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(run_node("prod", {empty}, {{DType::Float32, {3}}}, {ints("axes", {1})})[0].values,
            (std::vector<double>{1, 1, 1}));
  EXPECT_TRUE(
      run_node("sum", {empty}, {{DType::Float32, {0}}}, {ints("axes", {0})})[0].values.empty());
  const Array x = array(DType::Float64, {3}, {1, std::nan(""), kInfinity});
  EXPECT_TRUE(
      std::isnan(run_node("max", {x}, {{DType::Float64, {}}}, {ints("axes", {0})})[0].values[0]));
  EXPECT_TRUE(
      std::isnan(run_node("min", {x}, {{DType::Float64, {}}}, {ints("axes", {0})})[0].values[0]));
}

TEST_P(ReduceLevels, ArgumentsOfExtremes) {
  const Array x = array(DType::Float32, {2, 4}, {1, 5, 5, 2, -1, std::nan(""), 9, std::nan("")});
  EXPECT_EQ(run_node("argmax", {x}, {{DType::Int32, {2}}}, {integer("axis", 1)})[0].values,
            (std::vector<double>{1, 1}));
  EXPECT_EQ(run_node("argmin", {x}, {{DType::Int32, {2}}}, {integer("axis", 1)})[0].values,
            (std::vector<double>{0, 1}));
  EXPECT_EQ(run_node("argmax", {x}, {{DType::Int32, {4}}}, {integer("axis", 0)})[0].values,
            (std::vector<double>{0, 1, 1, 1}));
  Array long_row{DType::Int64, {1000}, std::vector<double>(1000, 3)};
  long_row.values[700] = 8;
  EXPECT_EQ(run_node("argmax", {long_row}, {{DType::Int32, {}}}, {integer("axis", 0)})[0].values[0],
            700);
}

TEST_P(ReduceLevels, ChunksMayRunInAnyOrder) {
  for (const Case& c : kCases) {
    const Array x = random_array(DType::Float32, c.shape, 12);
    const Reference reference = group_by_kept(x, c.axes);
    const std::vector<std::pair<DType, Shape>> out = {{DType::Float32, reference.shape}};
    const auto forwards = run_node("sum", {x}, out, {ints("axes", c.axes)})[0].values;
    set_reverse_chunks(true);
    const auto backwards = run_node("sum", {x}, out, {ints("axes", c.axes)})[0].values;
    set_reverse_chunks(false);
    EXPECT_EQ(forwards, backwards) << c.shape.to_string();
  }
}

}  // namespace
}  // namespace addax::cpu::testing
