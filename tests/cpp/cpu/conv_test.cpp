#include "conv_checks.h"

namespace addax::cpu {
namespace {

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

TEST_P(Conv, PointwiseJoinsImages) {
  for (int64_t batch : {0, 1, 2, 12, 13, 300}) {
    check<float>({.batch = batch,
                  .height = valid(2, 1),
                  .width = valid(3, 1),
                  .in_channels = 9,
                  .out_channels = 11},
                 GetParam());
  }
}

TEST_P(Conv, ChunksPackTheirOwnPanels) {
  for (int64_t batch : {17, 128, 129}) {
    ConvShape shape = {.batch = batch,
                       .height = valid(1, 1),
                       .width = valid(4, 1),
                       .in_channels = 5,
                       .out_channels = 515};
    check_forward<float, float>(shape, GetParam(), true);
    std::swap(shape.in_channels, shape.out_channels);
    check_data<float, float>(shape, GetParam(), true);
  }
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
