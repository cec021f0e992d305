#include "core/float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace addax {
namespace {

// The value of a half by the definition in IEEE 754, in double precision.
double half_value(uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  if (exponent == 31) return mantissa != 0 ? std::nan("") : sign * HUGE_VAL;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(Float16, EveryPatternWidensExactlyAndComesBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const uint16_t half = static_cast<uint16_t>(bits);
    const float wide = float16_to_float(half);
    const double expected = half_value(half);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(wide)) << bits;
      EXPECT_EQ(float_to_float16(wide), half | 0x0200) << bits;
    } else {
      EXPECT_EQ(wide, expected) << bits;
      EXPECT_EQ(std::signbit(wide), std::signbit(expected)) << bits;
      EXPECT_EQ(float_to_float16(wide), half) << bits;
    }
  }
}

TEST(Float16, RoundsHalfwayToEvenBetweenAllNeighbours) {
  for (uint16_t low = 0; low < 0x7bff; ++low) {
    const uint16_t high = static_cast<uint16_t>(low + 1);
    const float middle = (float16_to_float(low) + float16_to_float(high)) / 2;
    const uint16_t even = (low & 1) == 0 ? low : high;
    EXPECT_EQ(float_to_float16(middle), even) << low;
    EXPECT_EQ(float_to_float16(std::nextafter(middle, 0.0f)), low) << low;
    EXPECT_EQ(float_to_float16(std::nextafter(middle, 1e9f)), high) << low;
    EXPECT_EQ(float_to_float16(-middle), even | 0x8000) << low;
  }
}

TEST(Float16, OverflowsToInfinityFromHalfAnUlpAboveTheLargest) {
  EXPECT_EQ(float_to_float16(65504.0f), 0x7bff);
  EXPECT_EQ(float_to_float16(65519.996f), 0x7bff);
  EXPECT_EQ(float_to_float16(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_float16(std::numeric_limits<float>::infinity()), 0x7c00);
  EXPECT_EQ(float_to_float16(-1e30f), 0xfc00);
}

TEST(BFloat16, EveryPatternWidensExactlyAndComesBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const uint16_t narrow = static_cast<uint16_t>(bits);
    const float wide = bfloat16_to_float(narrow);
    if (std::isnan(wide)) {
      EXPECT_EQ(float_to_bfloat16(wide), narrow | 0x0040) << bits;
    } else {
      EXPECT_EQ(float_to_bfloat16(wide), narrow) << bits;
    }
  }
}

TEST(BFloat16, RoundsHalfwayToEven) {
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3f817fffu)), 0x3f81);
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7f80);
}

static_assert(float_to_float16(1.0f) == 0x3c00);
static_assert(float16_to_float(0x0001) == 0x1p-24f);
static_assert(float_to_bfloat16(-2.0f) == 0xc000);

}  // namespace
}  // namespace addax
