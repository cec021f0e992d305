#include "cpu/moments/moments.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "kernel_testing.h"

namespace addax::cpu {
namespace {

class BatchMomentsTest : public EveryIsa {};
INSTANTIATE_TEST_SUITE_P(Levels, BatchMomentsTest, every_isa(), isa_name);

template <class T>
struct Result {
  std::vector<Sum<T>> mean, variance;
};

// Of x, whose rows lie x_row elements apart, in parts of so many rows.
template <class T>
Result<T> moments_of(const std::vector<T>& x, int64_t x_row, const std::vector<int64_t>& parts,
                     int64_t columns, Isa isa) {
  const BatchMoments<T> moments(parts, columns, isa);
  Workspace workspace(moments.workspace_bytes());
  int64_t row = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    auto part = moments.part(workspace.data(), static_cast<int64_t>(i));
    moments.add(x.data() + row * x_row, x_row, parts[i], columns, part);
    EXPECT_EQ(part.rows, parts[i]);
    row += parts[i];
  }
  Result<T> result{std::vector<Sum<T>>(columns, 99), std::vector<Sum<T>>(columns, 99)};
  for (int64_t chunk = moments.stage().chunks - 1; chunk >= 0; --chunk) {
    moments.finish(workspace.data(), chunk, result.mean.data(), result.variance.data());
  }
  return result;
}

// Differences from a shift near the mean are exact but for a rounding of their own: whatever `far`,
// the variance has relative errors from 32 additions in a run, rows / 32 of runs, and those of
// parts; the mean's are as large beside the deviation, and it is rounded itself.
template <class T>
void check(int64_t columns, const std::vector<int64_t>& parts, double far, Isa isa) {
  const int64_t rows = std::accumulate(parts.begin(), parts.end(), int64_t{0});
  SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(columns) + " columns, " +
               std::to_string(parts.size()) + " parts, far " + std::to_string(far));
  const int64_t x_row = columns + 3;
  auto x = random_values<T>(rows * x_row, 7);
  for (T& value : x) value = rounded<T>(number(value) + far);
  const Result<T> got = moments_of(x, x_row, parts, columns, isa);
  const double unit = std::numeric_limits<Sum<T>>::epsilon();
  const double roundings = static_cast<double>(32 + rows / 32 + 3 * std::ssize(parts));
  for (int64_t col = 0; col < columns; ++col) {
    long double exact_mean = 0, exact_variance = 0;
    for (int64_t row = 0; row < rows; ++row) exact_mean += number(x[row * x_row + col]);
    exact_mean /= static_cast<long double>(rows);
    for (int64_t row = 0; row < rows; ++row) {
      const long double apart = number(x[row * x_row + col]) - exact_mean;
      exact_variance += apart * apart / static_cast<long double>(rows);
    }
    const auto mean = static_cast<double>(exact_mean);
    const auto variance = static_cast<double>(exact_variance);
    ASSERT_NEAR(got.mean[col], mean, unit * (std::abs(mean) + roundings * std::sqrt(variance)))
        << "column " << col;
    ASSERT_NEAR(got.variance[col], variance, roundings * unit * variance) << "column " << col;
    ASSERT_GE(got.variance[col], 0);
  }
}

template <class T>
void check_sizes(Isa isa) {
  for (int64_t columns : {1, 3, 4, 15, 16, 17, 63, 64, 65, 129}) {
    for (const std::vector<int64_t>& parts : {std::vector<int64_t>{1},
                                              {2},
                                              {31},
                                              {32},
                                              {33},
                                              {97},
                                              {1, 1, 1},
                                              {5, 40, 64, 3, 1, 32, 7}}) {
      for (double far : {0.0, 1000.0}) check<T>(columns, parts, far, isa);
    }
  }
  // As many columns as make several chunks of the last stage.
  check<T>(16 * 256 + 5, std::vector<int64_t>(64, 3), 1, isa);
}

TEST_P(BatchMomentsTest, EverySize) {
  check_sizes<float>(GetParam());
  check_sizes<double>(GetParam());
  check_sizes<BFloat16>(GetParam());
}

// Whatever the first row, or the first part, of a column is like.
TEST_P(BatchMomentsTest, OneOutlierHoldsAllTheVariance) {
  for (int64_t where : {0, 1, 31, 32, 100, 199}) {
    std::vector<float> x(200, 0.1f);
    x[where] = 1e4f;
    const auto got = moments_of(x, 1, {100, 100}, 1, GetParam());
    double mean = 0, variance = 0;
    for (float value : x) mean += value / 200.0;
    for (float value : x) variance += std::pow(value - mean, 2) / 200;
    // Differences of numbers up to 100 / 32 times as large: a part's rows by those of a run.
    EXPECT_NEAR(got.variance[0], variance, 64 * 0x1p-24 * variance) << where;
  }
}

TEST_P(BatchMomentsTest, EqualRowsHaveNoVariance) {
  const std::vector<float> x(1000, 1234.567f);
  const auto got = moments_of(x, 1, {300, 700}, 1, GetParam());
  EXPECT_NEAR(got.mean[0], x[0], 0x1p-22 * x[0]);
  EXPECT_GE(got.variance[0], 0);
  EXPECT_LE(got.variance[0], std::pow(0x1p-22 * x[0], 2));
}

TEST_P(BatchMomentsTest, NanStaysInItsColumn) {
  std::vector<float> x(2 * 70, 1);
  x[1] = std::numeric_limits<float>::quiet_NaN();
  const auto got = moments_of(x, 2, {40, 30}, 2, GetParam());
  EXPECT_EQ(got.mean[0], 1);
  EXPECT_EQ(got.variance[0], 0);
  EXPECT_TRUE(std::isnan(got.mean[1]) && std::isnan(got.variance[1]));
}

}  // namespace
}  // namespace addax::cpu
