#include "cpu/pool/pool.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernel_testing.h"

namespace addax::cpu {
namespace {

std::string describe(const PoolShape& s) {
  const auto axis = [](const ConvAxis& a) {
    return std::to_string(a.in) + " window " + std::to_string(a.kernel) + " stride " +
           std::to_string(a.stride) + " pads " + std::to_string(a.pad_before) + "," +
           std::to_string(a.pad_after);
  };
  return "batch " + std::to_string(s.batch) + " height " + axis(s.height) + " width " +
         axis(s.width) + " channels " + std::to_string(s.channels);
}

// Calls window(y index, x indices in row-major order of the window) for every output element.
template <class Window>
void for_each_window(const PoolShape& s, const Window& window) {
  std::vector<int64_t> inputs;
  int64_t y = 0;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t oy = 0; oy < s.height.out(); ++oy) {
      for (int64_t ox = 0; ox < s.width.out(); ++ox) {
        for (int64_t c = 0; c < s.channels; ++c, ++y) {
          inputs.clear();
          for (int64_t ky = 0; ky < s.height.kernel; ++ky) {
            for (int64_t kx = 0; kx < s.width.kernel; ++kx) {
              const int64_t iy =
                  oy * s.height.stride + ky * s.height.dilation - s.height.pad_before;
              const int64_t ix = ox * s.width.stride + kx * s.width.dilation - s.width.pad_before;
              if (iy < 0 || iy >= s.height.in || ix < 0 || ix >= s.width.in) continue;
              inputs.push_back(((n * s.height.in + iy) * s.width.in + ix) * s.channels + c);
            }
          }
          window(y, inputs);
        }
      }
    }
  }
}

int64_t in_size(const PoolShape& s) { return s.batch * s.height.in * s.width.in * s.channels; }
int64_t out_size(const PoolShape& s) {
  return s.batch * s.height.out() * s.width.out() * s.channels;
}

// Values with many ties.
template <class T>
std::vector<T> coarse_values(int64_t count, uint32_t seed) {
  auto values = random_values<T>(count, seed);
  for (T& x : values) x = std::round(x * 3);
  return values;
}

template <class T>
int64_t first_largest(const std::vector<T>& x, const std::vector<int64_t>& inputs) {
  int64_t best = inputs.front();
  for (int64_t i : inputs) {
    if (std::isnan(x[best])) break;
    if (x[i] > x[best] || std::isnan(x[i])) best = i;
  }
  return best;
}

template <class T>
std::vector<T> forward(PoolKind kind, const PoolShape& shape, Isa isa, const std::vector<T>& x) {
  const PoolPlan<T> plan(kind, shape, isa);
  std::vector<T> y(out_size(shape), T(99)), again = y;
  run_serially(plan, PoolArgs<T>{x.data(), y.data()}, nullptr);
  run_backwards(plan, PoolArgs<T>{x.data(), again.data()}, nullptr);
  EXPECT_TRUE(same_bits(y, again));
  return y;
}

// Positions in each window, and y.
template <class T>
std::vector<uint8_t> forward_argmax(const PoolShape& shape, Isa isa, const std::vector<T>& x,
                                    std::vector<T>& y) {
  const PoolPlan<T> plan(PoolKind::Max, shape, isa);
  y.assign(out_size(shape), T(99));
  std::vector<uint8_t> argmax(y.size(), 99), again = argmax;
  run_backwards(plan, PoolArgs<T>{x.data(), y.data(), again.data()}, nullptr);
  run_serially(plan, PoolArgs<T>{x.data(), y.data(), argmax.data()}, nullptr);
  EXPECT_EQ(argmax, again);
  return argmax;
}

// `args` but for its result.
template <class T>
std::vector<T> gradient(PoolKind kind, const PoolShape& shape, Isa isa, PoolGradArgs<T> args) {
  const PoolGradPlan<T> plan(kind, shape, isa);
  std::vector<T> dx(in_size(shape), T(99)), again = dx;
  args.dx = dx.data();
  run_serially(plan, args, nullptr);
  args.dx = again.data();
  run_backwards(plan, args, nullptr);
  EXPECT_TRUE(same_bits(dx, again));
  return dx;
}

template <class T>
void check_max(const PoolShape& shape, Isa isa) {
  const auto x = coarse_values<T>(in_size(shape), 1);
  const auto y = forward(PoolKind::Max, shape, isa, x);
  for_each_window(shape, [&](int64_t i, const std::vector<int64_t>& inputs) {
    const T expected =
        inputs.empty() ? -std::numeric_limits<T>::infinity() : x[first_largest(x, inputs)];
    ASSERT_EQ(y[i], expected) << i;
  });
  // Gradients that are small integers add up exactly.
  const auto dy = coarse_values<T>(out_size(shape), 2);
  std::vector<T> expected(in_size(shape));
  for_each_window(shape, [&](int64_t i, const std::vector<int64_t>& inputs) {
    if (!inputs.empty()) expected[first_largest(x, inputs)] += dy[i];
  });
  const PoolGradArgs<T> by_images = {.x = x.data(), .dy = dy.data()};
  EXPECT_EQ(gradient(PoolKind::Max, shape, isa, by_images), expected);

  std::vector<T> same;
  const std::vector<uint8_t> argmax = forward_argmax(shape, isa, x, same);
  EXPECT_TRUE(same_bits(same, y));
  const PoolGradArgs<T> by_argmax = {.argmax = argmax.data(), .dy = dy.data()};
  EXPECT_EQ(gradient(PoolKind::Max, shape, isa, by_argmax), expected);
}

template <class T>
void check_average(const PoolShape& shape, Isa isa) {
  const auto x = random_values<T>(in_size(shape), 1);
  const auto y = forward(PoolKind::Average, shape, isa, x);
  for_each_window(shape, [&](int64_t i, const std::vector<int64_t>& inputs) {
    double sum = 0, squares = 0;
    for (int64_t j : inputs) {
      sum += x[j];
      squares += double(x[j]) * double(x[j]);
    }
    const double count = std::max<double>(1, static_cast<double>(inputs.size()));
    // One rounding for each addition and one for the division.
    ASSERT_NEAR(y[i], sum / count, sum_tolerance<T>(inputs.size() + 1, squares / (count * count)))
        << i;
  });
  const auto dy = random_values<T>(out_size(shape), 2);
  const int64_t windows = shape.height.kernel * shape.width.kernel;
  std::vector<double> expected(in_size(shape)), sums_of_squares(in_size(shape));
  for_each_window(shape, [&](int64_t i, const std::vector<int64_t>& inputs) {
    for (int64_t j : inputs) {
      const double share = dy[i] / static_cast<double>(inputs.size());
      expected[j] += share;
      sums_of_squares[j] += share * share;
    }
  });
  const auto dx = gradient<T>(PoolKind::Average, shape, isa, {.dy = dy.data()});
  for (std::size_t i = 0; i < dx.size(); ++i) {
    ASSERT_NEAR(dx[i], expected[i], sum_tolerance<T>(windows + 1, sums_of_squares[i])) << i;
  }
}

void check(const PoolShape& shape, Isa isa) {
  SCOPED_TRACE(describe(shape));
  check_max<float>(shape, isa);
  check_max<double>(shape, isa);
  check_average<float>(shape, isa);
  check_average<double>(shape, isa);
}

ConvAxis axis(int64_t in, int64_t kernel, int64_t stride, int64_t before = 0, int64_t after = 0) {
  return {.in = in, .kernel = kernel, .stride = stride, .pad_before = before, .pad_after = after};
}

class Pool : public EveryIsa {};
INSTANTIATE_TEST_SUITE_P(Levels, Pool, every_isa(), isa_name);

TEST_P(Pool, WindowsStridesAndChannels) {
  for (int64_t window : {1, 2, 3}) {
    for (int64_t stride : {1, 2, 3}) {
      for (int64_t channels : {1, 3, 15, 16, 17, 33}) {
        check({.batch = 2,
               .height = axis(7, window, stride),
               .width = axis(6, window, stride),
               .channels = channels},
              GetParam());
      }
    }
  }
}

TEST_P(Pool, Padding) {
  check({.batch = 3, .height = axis(7, 2, 2, 0, 1), .width = axis(5, 3, 2, 1, 1), .channels = 20},
        GetParam());
  check({.batch = 1, .height = axis(4, 3, 1, 1, 1), .width = axis(9, 5, 1, 2, 2), .channels = 130},
        GetParam());
}

TEST_P(Pool, WindowsOfNothingButPadding) {
  check({.batch = 1, .height = axis(2, 2, 2, 2, 2), .width = axis(2, 2, 1, 0, 0), .channels = 18},
        GetParam());
}

TEST_P(Pool, ManyChunks) {
  check({.batch = 9, .height = axis(26, 2, 2), .width = axis(26, 2, 2), .channels = 32},
        GetParam());
  check(
      {.batch = 1, .height = axis(40, 3, 2, 0, 1), .width = axis(40, 3, 2, 0, 1), .channels = 200},
      GetParam());
}

TEST_P(Pool, NanIsTheLargestAndTakesTheGradient) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (int64_t channels : {1, 16}) {
    const PoolShape shape = {
        .batch = 1, .height = axis(1, 1, 1), .width = axis(4, 4, 4), .channels = channels};
    std::vector<float> x, dy(channels, 5.0f);
    for (float value : {1.0f, nan, inf, nan}) x.insert(x.end(), channels, value);
    for (float y : forward(PoolKind::Max, shape, GetParam(), x)) EXPECT_TRUE(std::isnan(y));
    const auto dx =
        gradient<float>(PoolKind::Max, shape, GetParam(), {.x = x.data(), .dy = dy.data()});
    for (int64_t i = 0; i < 4 * channels; ++i) EXPECT_EQ(dx[i], i / channels == 1 ? 5.0f : 0.0f);
  }
}

TEST_P(Pool, AllMinusInfinityGivesTheGradientToTheFirst) {
  const float inf = std::numeric_limits<float>::infinity();
  const PoolShape shape = {
      .batch = 1, .height = axis(2, 2, 2), .width = axis(2, 2, 2), .channels = 1};
  const std::vector<float> x(4, -inf), dy = {3};
  EXPECT_EQ(gradient<float>(PoolKind::Max, shape, GetParam(), {.x = x.data(), .dy = dy.data()}),
            (std::vector<float>{3, 0, 0, 0}));
}

TEST_P(Pool, EmptyOutput) {
  check({.batch = 2, .height = axis(1, 2, 2), .width = axis(5, 2, 2), .channels = 3}, GetParam());
  check({.batch = 0, .height = axis(4, 2, 2), .width = axis(5, 2, 2), .channels = 3}, GetParam());
}

}  // namespace
}  // namespace addax::cpu
