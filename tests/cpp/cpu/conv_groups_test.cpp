#include "conv_checks.h"

namespace addax::cpu {
namespace {

class ConvGroups : public EveryIsa {};
INSTANTIATE_TEST_SUITE_P(Levels, ConvGroups, every_isa(), isa_name);

TEST_P(ConvGroups, Wide) {
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

TEST_P(ConvGroups, Depthwise) {
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

TEST_P(ConvGroups, Narrow) {
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

}  // namespace
}  // namespace addax::cpu
