#include "core/shape.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace addax {
namespace {

TEST(Shape, PrintsAsNumPyDoes) {
  EXPECT_EQ(Shape().to_string(), "()");
  EXPECT_EQ(Shape({3}).to_string(), "(3,)");
  EXPECT_EQ(Shape({2, 3}).to_string(), "(2, 3)");
}

TEST(Shape, CountsElementsAndStrides) {
  EXPECT_EQ(Shape().num_elements(), 1);
  EXPECT_EQ(Shape({2, 0, 3}).num_elements(), 0);
  const Shape shape = {2, 3, 4};
  EXPECT_EQ(shape.num_elements(), 24);
  EXPECT_EQ(shape.strides()[0], 12);
  EXPECT_EQ(shape.strides()[1], 4);
  EXPECT_EQ(shape.strides()[2], 1);
}

TEST(Shape, RejectsWhatIsNoShape) {
  EXPECT_THROW(Shape({2, -1}), ShapeError);
  EXPECT_THROW(Shape({1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  EXPECT_THROW(Shape({int64_t{1} << 32, int64_t{1} << 31}), ShapeError);
  EXPECT_THROW(Shape({0, int64_t{1} << 40, int64_t{1} << 40}), ShapeError);
  EXPECT_NO_THROW(Shape({int64_t{1} << 31, int64_t{1} << 31}));
}

TEST(Shape, BroadcastsAsNumPyDoes) {
  EXPECT_EQ(broadcast({2, 3}, {3}), Shape({2, 3}));
  EXPECT_EQ(broadcast({2, 1}, {1, 3}), Shape({2, 3}));
  EXPECT_EQ(broadcast({}, {4}), Shape({4}));
  EXPECT_EQ(broadcast({1}, {0}), Shape({0}));
  EXPECT_EQ(broadcast({2, 3}, {2}), std::nullopt);
  EXPECT_EQ(broadcast({0}, {2}), std::nullopt);
}

TEST(TensorType, PrintsShortly) {
  EXPECT_EQ((TensorType{DType::BFloat16, {32, 784}}).to_string(), "bf16[32,784]");
  EXPECT_EQ((TensorType{DType::Int64, {}}).to_string(), "i64[]");
  EXPECT_EQ((TensorType{DType::Float16, {2, 3}}).bytes(), 12u);
}

}  // namespace
}  // namespace addax
