#include "core/dtype.h"

#include <gtest/gtest.h>

namespace addax {
namespace {

DType dtype(int code) { return static_cast<DType>(code); }

TEST(DType, NamesComeBack) {
  for (int i = 0; i < kNumDTypes; ++i) {
    EXPECT_EQ(dtype_from_name(name(dtype(i))), dtype(i));
    EXPECT_EQ(dtype_from_name(short_name(dtype(i))), dtype(i));
  }
  EXPECT_EQ(dtype_from_name("float"), std::nullopt);
}

TEST(DType, PromotionIsCommutativeAndIdempotent) {
  for (int a = 0; a < kNumDTypes; ++a) {
    EXPECT_EQ(promote(dtype(a), dtype(a)), dtype(a));
    for (int b = 0; b < kNumDTypes; ++b) {
      EXPECT_EQ(promote(dtype(a), dtype(b)), promote(dtype(b), dtype(a)));
    }
  }
}

TEST(DType, PromotesAsKerasDoes) {
  EXPECT_EQ(promote(DType::Bool, DType::UInt8), DType::UInt8);
  EXPECT_EQ(promote(DType::UInt8, DType::Int8), DType::Int32);
  EXPECT_EQ(promote(DType::UInt8, DType::Int32), DType::Int32);
  EXPECT_EQ(promote(DType::Int64, DType::Float16), DType::Float16);
  EXPECT_EQ(promote(DType::Int64, DType::Float32), DType::Float32);
  EXPECT_EQ(promote(DType::Float16, DType::BFloat16), DType::Float32);
  EXPECT_EQ(promote(DType::BFloat16, DType::Float64), DType::Float64);
}

TEST(DType, KindsAndSizes) {
  EXPECT_FALSE(is_integer(DType::Bool));
  EXPECT_TRUE(is_integer(DType::UInt8));
  EXPECT_TRUE(is_floating(DType::BFloat16));
  EXPECT_FALSE(is_floating(DType::Int64));
  EXPECT_EQ(size_of(DType::Bool), 1u);
  EXPECT_EQ(size_of(DType::BFloat16), 2u);
  EXPECT_EQ(size_of(DType::Float64), 8u);
}

}  // namespace
}  // namespace addax
