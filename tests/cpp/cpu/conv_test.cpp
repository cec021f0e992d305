#include "cpu/conv.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernel_testing.h"

namespace addax::cpu {
namespace {

struct Sizes {
  int64_t x, w, y;
};

Sizes sizes(const ConvShape& s) {
  return {s.batch * s.height.in * s.width.in * s.in_channels,
          s.height.kernel * s.width.kernel * (s.in_channels / s.groups) * s.out_channels,
          s.batch * s.height.out() * s.width.out() * s.out_channels};
}

std::string describe(const ConvShape& s) {
  const auto axis = [](const ConvAxis& a) {
    return std::to_string(a.in) + " kernel " + std::to_string(a.kernel) + " stride " +
           std::to_string(a.stride) + " dilation " + std::to_string(a.dilation) + " pads " +
           std::to_string(a.pad_before) + "," + std::to_string(a.pad_after);
  };
  return "batch " + std::to_string(s.batch) + " height " + axis(s.height) + " width " +
         axis(s.width) + " channels " + std::to_string(s.in_channels) + "->" +
         std::to_string(s.out_channels) + " groups " + std::to_string(s.groups);
}

// Calls term(x index, w index, y index) for every product of the definition.
template <class Term>
void for_each_product(const ConvShape& s, const Term& term) {
  const int64_t depth = s.in_channels / s.groups, cols = s.out_channels / s.groups;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t oy = 0; oy < s.height.out(); ++oy) {
      for (int64_t ox = 0; ox < s.width.out(); ++ox) {
        for (int64_t ky = 0; ky < s.height.kernel; ++ky) {
          const int64_t iy = oy * s.height.stride + ky * s.height.dilation - s.height.pad_before;
          if (iy < 0 || iy >= s.height.in) continue;
          for (int64_t kx = 0; kx < s.width.kernel; ++kx) {
            const int64_t ix = ox * s.width.stride + kx * s.width.dilation - s.width.pad_before;
            if (ix < 0 || ix >= s.width.in) continue;
            for (int64_t c = 0; c < depth; ++c) {
              for (int64_t o = 0; o < s.out_channels; ++o) {
                const int64_t channel = o / cols * depth + c;
                term(((n * s.height.in + iy) * s.width.in + ix) * s.in_channels + channel,
                     ((ky * s.width.kernel + kx) * depth + c) * s.out_channels + o,
                     ((n * s.height.out() + oy) * s.width.out() + ox) * s.out_channels + o);
              }
            }
          }
        }
      }
    }
  }
}

// An exact sum with what its tolerance needs.
struct Sums {
  explicit Sums(int64_t count) : value(count), squares(count), terms(count) {}
  void add(int64_t i, double term) {
    value[i] += term;
    squares[i] += term * term;
    ++terms[i];
  }
  void scale(int64_t i, double factor) {
    value[i] *= factor;
    squares[i] *= factor * factor;
    ++terms[i];
  }
  std::vector<double> value, squares;
  std::vector<int64_t> terms;
};

template <class T>
void expect_sums(const std::vector<T>& got, const Sums& sums) {
  ASSERT_EQ(got.size(), sums.value.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(number(got[i]), sums.value[i],
                rounded_sum_tolerance<T>(sums.terms[i], sums.squares[i], sums.value[i]))
        << "at element " << i;
  }
}

// Runs a plan with its chunks in both orders; the results must have the same bits.
template <class Plan, class Args, class T>
std::vector<T> run_both_ways(const Plan& plan, Args args, T* Args::*target,
                             const std::vector<T>& before) {
  std::vector<T> first = before, second = before;
  Workspace one(plan.workspace_bytes()), two(plan.workspace_bytes());
  args.*target = first.data();
  run_serially(plan, args, one.data());
  args.*target = second.data();
  run_backwards(plan, args, two.data());
  EXPECT_TRUE(same_bits(first, second));
  return first;
}

// Weights are of type W, which bfloat16 kernels round to T.
template <class T, class W>
void check_forward(const ConvShape& shape, Isa isa, bool epilogue) {
  const Sizes size = sizes(shape);
  const auto x = random_values<T>(size.x, 1);
  const auto w = random_values<W>(size.w, 2);
  const auto bias = random_values<T>(shape.out_channels, 3), mask = random_values<T>(size.y, 4);
  const auto scale = random_values<T>(shape.out_channels, 5),
             residual = random_values<T>(size.y, 6);
  ConvForwardArgs<T, W> args;
  args.x = x.data();
  args.w = w.data();
  if (epilogue) {
    args.finish.scale = scale.data();
    args.finish.bias = bias.data();
    args.finish.residual = residual.data();
    args.finish.activation = Activation::Relu;
    args.finish.mask = mask.data();
  }
  const ConvForwardPlan<T, W> plan(shape, isa);
  const auto y =
      run_both_ways(plan, args, &ConvForwardArgs<T, W>::y, std::vector<T>(size.y, rounded<T>(99)));

  Sums sums(size.y);
  int64_t products = 0;
  for_each_product(shape, [&](int64_t xi, int64_t wi, int64_t yi) {
    sums.add(yi, number(x[xi]) * number(rounded<T>(number(w[wi]))));
    ++products;
  });
  EXPECT_EQ(plan.flops(), 2.0 * products);
  if (epilogue) {
    for (int64_t i = 0; i < size.y; ++i) {
      sums.scale(i, number(scale[i % shape.out_channels]));
      sums.add(i, number(bias[i % shape.out_channels]));
      sums.add(i, number(residual[i]));
      sums.value[i] = number(mask[i]) > 0 ? std::max(sums.value[i], 0.0) : 0.0;
    }
  }
  expect_sums(y, sums);
}

template <class T, class W>
void check_data(const ConvShape& shape, Isa isa, bool epilogue) {
  const Sizes size = sizes(shape);
  const auto dy = random_values<T>(size.y, 1);
  const auto w = random_values<W>(size.w, 2);
  const auto before = random_values<T>(size.x, 3), mask = random_values<T>(size.x, 4);
  const auto residual = random_values<T>(size.x, 5);
  ConvDataArgs<T, W> args;
  args.dy = dy.data();
  args.w = w.data();
  args.finish.accumulate = epilogue;
  args.finish.residual = epilogue ? residual.data() : nullptr;
  args.finish.mask = epilogue ? mask.data() : nullptr;
  const ConvDataPlan<T, W> plan(shape, isa);
  const auto dx = run_both_ways(plan, args, &ConvDataArgs<T, W>::dx, before);

  Sums sums(size.x);
  for_each_product(shape, [&](int64_t xi, int64_t wi, int64_t yi) {
    sums.add(xi, number(dy[yi]) * number(rounded<T>(number(w[wi]))));
  });
  if (epilogue) {
    for (int64_t i = 0; i < size.x; ++i) {
      sums.add(i, number(before[i]));
      sums.add(i, number(residual[i]));
      if (!(number(mask[i]) > 0)) sums.value[i] = 0;
    }
  }
  expect_sums(dx, sums);
}

template <class T, class W, class Plan>
void check_filter_plan(const Plan& plan, const ConvShape& shape, bool accumulate) {
  const Sizes size = sizes(shape);
  const auto x = random_values<T>(size.x, 1), dy = random_values<T>(size.y, 2);
  const auto before = random_values<W>(size.w, 3);
  ConvFilterArgs<T, W> args;
  args.x = x.data();
  args.dy = dy.data();
  args.accumulate = accumulate;
  const auto dw = run_both_ways(plan, args, &ConvFilterArgs<T, W>::dw, before);

  Sums sums(size.w);
  int64_t products = 0;
  for_each_product(shape, [&](int64_t xi, int64_t wi, int64_t yi) {
    sums.add(wi, number(x[xi]) * number(dy[yi]));
    ++products;
  });
  EXPECT_EQ(plan.flops(), 2.0 * products);
  for (int64_t i = 0; accumulate && i < size.w; ++i) sums.add(i, number(before[i]));
  // Partial sums add up to 16 roundings.
  for (int64_t& terms : sums.terms) terms += 16;
  expect_sums(dw, sums);
}

template <class T, class W>
void check_filter(const ConvShape& shape, Isa isa, bool accumulate) {
  check_filter_plan<T, W>(ConvFilterPlan<T, W>(shape, isa), shape, accumulate);
}

template <class T>
void check(const ConvShape& shape, Isa isa) {
  SCOPED_TRACE(describe(shape));
  for (bool extras : {false, true}) {
    check_forward<T, T>(shape, isa, extras);
    check_data<T, T>(shape, isa, extras);
    check_filter<T, T>(shape, isa, extras);
  }
}

// As many directions as there are bfloat16 kernels for, with weights W.
template <class W>
void check_bfloat16(const ConvShape& shape, Isa isa) {
  SCOPED_TRACE("bfloat16 " + describe(shape));
  for (bool extras : {false, true}) {
    if (takes_bfloat16(shape, false, isa)) check_forward<BFloat16, W>(shape, isa, extras);
    if (takes_bfloat16(shape, true, isa)) check_data<BFloat16, W>(shape, isa, extras);
    check_filter<BFloat16, W>(shape, isa, extras);
  }
}

ConvAxis valid(int64_t in, int64_t kernel, int64_t stride = 1, int64_t dilation = 1) {
  return {.in = in, .kernel = kernel, .stride = stride, .dilation = dilation};
}

// Pads as 'same' does: the output has ceil(in / stride) positions, the odd pad comes last.
ConvAxis same(int64_t in, int64_t kernel, int64_t stride = 1, int64_t dilation = 1) {
  const int64_t out = (in + stride - 1) / stride;
  const int64_t pads = std::max<int64_t>(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - in);
  ConvAxis axis = valid(in, kernel, stride, dilation);
  axis.pad_before = pads / 2;
  axis.pad_after = pads - pads / 2;
  return axis;
}

class Conv : public EveryIsa {};
INSTANTIATE_TEST_SUITE_P(Levels, Conv, every_isa(), isa_name);

TEST_P(Conv, KernelsStridesAndPadding) {
  for (int64_t kernel : {1, 2, 3, 5}) {
    for (int64_t stride : {1, 2, 3}) {
      for (bool pad : {false, true}) {
        const ConvAxis height = pad ? same(7, kernel, stride) : valid(7, kernel, stride);
        const ConvAxis width = pad ? same(9, kernel, stride) : valid(9, kernel, stride);
        check<float>(
            {.batch = 3, .height = height, .width = width, .in_channels = 5, .out_channels = 7},
            GetParam());
      }
    }
  }
}

TEST_P(Conv, TilesOverImages) {
  for (int64_t batch : {12, 13, 31, 49}) {
    check<float>({.batch = batch,
                  .height = same(4, 3),
                  .width = same(5, 3),
                  .in_channels = 17,
                  .out_channels = 19},
                 GetParam());
  }
  check<float>({.batch = 25,
                .height = same(2, 3),
                .width = same(2, 3),
                .in_channels = 33,
                .out_channels = 70},
               GetParam());
  check<float>(
      {.batch = 16, .height = same(1, 3), .width = same(1, 3), .in_channels = 8, .out_channels = 8},
      GetParam());
  check<float>({.batch = 16,
                .height = same(6, 3, 2),
                .width = same(7, 3, 2),
                .in_channels = 4,
                .out_channels = 9},
               GetParam());
}

TEST_P(Conv, LongRowsWithAndWithoutEdges) {
  check<float>({.batch = 2,
                .height = valid(5, 3),
                .width = valid(40, 3),
                .in_channels = 1,
                .out_channels = 32},
               GetParam());
  check<float>({.batch = 13,
                .height = same(3, 3),
                .width = same(41, 5),
                .in_channels = 3,
                .out_channels = 6},
               GetParam());
  check<float>({.batch = 1,
                .height = same(11, 7, 2),
                .width = same(61, 7, 2),
                .in_channels = 3,
                .out_channels = 65},
               GetParam());
}

TEST_P(Conv, DilationAndUnevenPads) {
  check<float>({.batch = 2,
                .height = same(9, 3, 1, 2),
                .width = same(11, 3, 1, 3),
                .in_channels = 4,
                .out_channels = 5},
               GetParam());
  ConvAxis height = valid(6, 3, 2, 2), width = valid(5, 4, 3, 1);
  height.pad_before = 3;
  height.pad_after = 1;
  width.pad_before = 0;
  width.pad_after = 5;
  check<float>({.batch = 4, .height = height, .width = width, .in_channels = 3, .out_channels = 4},
               GetParam());
}

TEST_P(Conv, Groups) {
  check<float>({.batch = 3,
                .height = same(5, 3),
                .width = same(6, 3),
                .in_channels = 12,
                .out_channels = 20,
                .groups = 4},
               GetParam());
  check<float>({.batch = 14,
                .height = same(3, 3),
                .width = same(3, 3),
                .in_channels = 6,
                .out_channels = 12,
                .groups = 6},
               GetParam());
  check<double>({.batch = 3,
                 .height = valid(5, 3),
                 .width = valid(6, 2),
                 .in_channels = 4,
                 .out_channels = 6,
                 .groups = 2},
                GetParam());
}

// Channels that are whole pairs, on either side of every tile's and panel's width.
TEST_P(Conv, BFloat16) {
  if (!has_bfloat16_kernels(GetParam())) {
    GTEST_SKIP() << name(GetParam()) << " widens bfloat16 to float32";
  }
  const auto check_both = [](const ConvShape& shape) {
    check_bfloat16<float>(shape, GetParam());
    check_bfloat16<BFloat16>(shape, GetParam());
  };
  for (int64_t in_channels : {2, 14, 16, 34}) {
    for (int64_t out_channels : {1, 2, 15, 16, 18, 63, 64, 66, 129}) {
      for (int64_t batch : {1, 2, 13}) {
        check_both({.batch = batch,
                    .height = same(3, 3),
                    .width = same(4, 3, 2),
                    .in_channels = in_channels,
                    .out_channels = out_channels});
      }
    }
  }
  for (int64_t batch : {1, 12, 33}) {
    check_both({.batch = batch,
                .height = same(2, 3),
                .width = valid(26, 1),
                .in_channels = 6,
                .out_channels = 10});
    check_both({.batch = batch,
                .height = valid(3, 1),
                .width = valid(5, 1),
                .in_channels = 70,
                .out_channels = 20});
    check_both({.batch = batch,
                .height = same(1, 3),
                .width = same(1, 3),
                .in_channels = 64,
                .out_channels = 96});
  }
  check_both({.batch = 3,
              .height = same(9, 3, 1, 2),
              .width = same(61, 7, 2),
              .in_channels = 4,
              .out_channels = 5});
  check_both({.batch = 5,
              .height = same(5, 3),
              .width = same(6, 3),
              .in_channels = 12,
              .out_channels = 24,
              .groups = 3});
}

// What tile registers need, at every level that can compute it.
TEST_P(Conv, BundlesOfImages) {
  if (!has_bfloat16_kernels(GetParam())) {
    GTEST_SKIP() << name(GetParam()) << " widens bfloat16 to float32";
  }
  for (int64_t batch : {0, 1, 31, 32, 33, 67}) {
    for (int64_t stride : {1, 2}) {
      const ConvShape shape = {.batch = batch,
                               .height = same(5, 3, stride),
                               .width = valid(6, 2, stride),
                               .in_channels = 17,
                               .out_channels = 35};
      SCOPED_TRACE(describe(shape));
      const PairedFilterContraction<float> wide(shape, GetParam(), 16);
      check_filter_plan<BFloat16, float>(wide, shape, batch % 2 == 0);
      const PairedFilterContraction<BFloat16> narrow(shape, GetParam(), 16);
      check_filter_plan<BFloat16, BFloat16>(narrow, shape, batch % 2 == 0);
    }
  }
  const ConvShape grouped = {.batch = 40,
                             .height = same(3, 3),
                             .width = same(3, 3),
                             .in_channels = 6,
                             .out_channels = 9,
                             .groups = 3};
  check_filter_plan<BFloat16, float>(PairedFilterContraction<float>(grouped, GetParam(), 16),
                                     grouped, false);
  const ConvShape many = {.batch = 64,
                          .height = valid(8, 1),
                          .width = valid(8, 1),
                          .in_channels = 300,
                          .out_channels = 130};
  check_filter_plan<BFloat16, float>(PairedFilterContraction<float>(many, GetParam(), 16), many,
                                     true);
}

TEST_P(Conv, BFloat16TakesChannelsByPairs) {
  ConvShape shape = {
      .batch = 2, .height = same(4, 3), .width = same(4, 3), .in_channels = 3, .out_channels = 8};
  const bool any = has_bfloat16_kernels(GetParam());
  EXPECT_FALSE(takes_bfloat16(shape, false, GetParam()));
  EXPECT_EQ(takes_bfloat16(shape, true, GetParam()), any);
  shape.in_channels = shape.out_channels = shape.groups = 8;
  EXPECT_FALSE(takes_bfloat16(shape, true, GetParam()));
}

TEST_P(Conv, Depthwise) {
  for (int64_t channels : {2, 16, 67, 130}) {
    for (int64_t stride : {1, 2}) {
      check<float>({.batch = 3,
                    .height = same(7, 3, stride),
                    .width = same(10, 3, stride),
                    .in_channels = channels,
                    .out_channels = channels,
                    .groups = channels},
                   GetParam());
    }
  }
  check<float>({.batch = 9,
                .height = same(30, 5, 2, 1),
                .width = valid(29, 4, 1, 2),
                .in_channels = 24,
                .out_channels = 24,
                .groups = 24},
               GetParam());
  check<double>({.batch = 2,
                 .height = same(2, 5),
                 .width = same(1, 3),
                 .in_channels = 11,
                 .out_channels = 11,
                 .groups = 11},
                GetParam());
}

TEST_P(Conv, NarrowGroups) {
  for (int64_t group : {2, 4, 8, 16}) {
    for (int64_t stride : {1, 2}) {
      // The last vector has idle lanes at every level.
      check<float>({.batch = 2,
                    .height = same(5, 3, stride),
                    .width = same(21, 3, stride),
                    .in_channels = 5 * group,
                    .out_channels = 5 * group,
                    .groups = 5},
                   GetParam());
    }
    check<float>({.batch = 35,
                  .height = same(3, 3),
                  .width = same(4, 3),
                  .in_channels = 3 * group,
                  .out_channels = 3 * group,
                  .groups = 3},
                 GetParam());
  }
  check<float>({.batch = 2,
                .height = same(9, 3, 1, 2),
                .width = valid(11, 2, 2, 3),
                .in_channels = 48,
                .out_channels = 48,
                .groups = 12},
               GetParam());
  check<float>({.batch = 3,
                .height = valid(5, 1),
                .width = valid(7, 1),
                .in_channels = 64,
                .out_channels = 64,
                .groups = 16},
               GetParam());
  check<double>({.batch = 17,
                 .height = same(4, 3),
                 .width = same(5, 2),
                 .in_channels = 12,
                 .out_channels = 12,
                 .groups = 3},
                GetParam());
  check<float>({.batch = 2,
                .height = valid(2, 3),
                .width = valid(4, 2),
                .in_channels = 8,
                .out_channels = 8,
                .groups = 2},
               GetParam());
}

TEST_P(Conv, Pointwise) {
  check<float>({.batch = 5,
                .height = valid(3, 1),
                .width = valid(7, 1),
                .in_channels = 23,
                .out_channels = 66},
               GetParam());
  check<float>({.batch = 2,
                .height = valid(2, 1),
                .width = valid(25, 1),
                .in_channels = 4,
                .out_channels = 16},
               GetParam());
  check<float>({.batch = 3,
                .height = valid(5, 1),
                .width = valid(6, 1),
                .in_channels = 6,
                .out_channels = 4,
                .groups = 2},
               GetParam());
}

TEST_P(Conv, PacksWideWeights) {
  check<float>({.batch = 2,
                .height = same(3, 3),
                .width = same(3, 3),
                .in_channels = 40,
                .out_channels = 600},
               GetParam());
}

TEST_P(Conv, DeepSumsTakeSeveralPasses) {
  check<float>({.batch = 2,
                .height = same(2, 3),
                .width = same(2, 3),
                .in_channels = 700,
                .out_channels = 17},
               GetParam());
}

TEST_P(Conv, FilterGradientVisitsAPartsImagesInTurn) {
  const ConvShape shape = {.batch = 33,
                           .height = valid(90, 1),
                           .width = valid(91, 2),
                           .in_channels = 8,
                           .out_channels = 8};
  check_filter<float, float>(shape, GetParam(), false);
}

TEST_P(Conv, FilterGradientVisitsALargeImageInBands) {
  const ConvShape rows = {.batch = 3,
                          .height = same(61, 3, 2),
                          .width = same(97, 3),
                          .in_channels = 40,
                          .out_channels = 24};
  check_filter<float, float>(rows, GetParam(), false);
  const ConvShape joined = {.batch = 2,
                            .height = valid(71, 1),
                            .width = valid(67, 1),
                            .in_channels = 48,
                            .out_channels = 40};
  check_filter<float, float>(joined, GetParam(), true);
}

TEST_P(Conv, SmallNetworksLayers) {
  check<float>({.batch = 9,
                .height = valid(28, 3),
                .width = valid(28, 3),
                .in_channels = 1,
                .out_channels = 32},
               GetParam());
  check<float>({.batch = 5,
                .height = valid(13, 3),
                .width = valid(13, 3),
                .in_channels = 32,
                .out_channels = 64},
               GetParam());
}

TEST_P(Conv, Float64) {
  check<double>({.batch = 3,
                 .height = same(7, 3, 2),
                 .width = same(6, 3),
                 .in_channels = 5,
                 .out_channels = 4},
                GetParam());
  check<double>(
      {.batch = 14, .height = same(4, 3), .width = same(4, 3), .in_channels = 3, .out_channels = 8},
      GetParam());
}

TEST_P(Conv, KernelLargerThanItsInputHasNoOutputAndZeroGradients) {
  const ConvShape shape = {
      .batch = 2, .height = valid(3, 5), .width = valid(4, 2), .in_channels = 2, .out_channels = 3};
  EXPECT_EQ(shape.height.out(), 0);
  check<float>(shape, GetParam());
  check<double>(shape, GetParam());
}

TEST(ConvAxisRuns, NeighboursWithTheSameTapsAreOneRun) {
  const auto runs = forward_runs(same(10, 3), true);
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[1].first, 1);
  EXPECT_EQ(runs[1].count, 8);
  EXPECT_EQ(runs[1].taps.size(), 3u);
  EXPECT_EQ(runs[0].taps.size(), 2u);
  EXPECT_EQ(forward_runs(same(10, 3), false).size(), 10u);
}

TEST(ConvAxisRuns, StridedGradientHasOneRunPerPhase) {
  const auto runs = data_runs(valid(9, 1, 2), true);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].count, 5);
  EXPECT_EQ(runs[0].step, 2);
  EXPECT_TRUE(runs[1].taps.empty());
}

}  // namespace
}  // namespace addax::cpu
