#include "api/indexing.h"

#include <limits>
#include <numeric>

#include "api/api_fixture.h"
#include "core/error.h"

namespace addax {
namespace {

class Indexing : public ApiTest {
 protected:
  // 0, 1, ... in shape (2, 3, 4): element [i, j, k] is 12 i + 4 j + k.
  static Tensor cube() {
    std::vector<float> numbers(24);
    std::iota(numbers.begin(), numbers.end(), 0.0F);
    return floats(numbers, {2, 3, 4});
  }
  static Tensor at(std::vector<IndexItem> items) { return index(cube(), items); }
};

TEST_F(Indexing, IntegersDropAxes) {
  EXPECT_EQ(read(at({int64_t{1}, int64_t{-1}, int64_t{2}})), std::vector<float>{22});
  EXPECT_EQ(at({int64_t{1}}).shape(), (Shape{3, 4}));
  EXPECT_THROW(at({int64_t{2}}), OutOfRangeError);
  EXPECT_THROW(at({int64_t{-3}}), OutOfRangeError);
}

TEST_F(Indexing, SlicesFollowPython) {
  const auto last = [&](SliceIndex slice) { return read(at({int64_t{0}, int64_t{0}, slice})); };
  EXPECT_EQ(last({1, 3, 1}), (std::vector<float>{1, 2}));
  EXPECT_EQ(last({{}, {}, -1}), (std::vector<float>{3, 2, 1, 0}));
  EXPECT_EQ(last({{}, {}, -2}), (std::vector<float>{3, 1}));
  EXPECT_EQ(last({2, 0, -1}), (std::vector<float>{2, 1}));
  EXPECT_EQ(last({-3, 100, 2}), (std::vector<float>{1, 3}));
  EXPECT_EQ(last({3, 1, 1}), std::vector<float>());
  EXPECT_EQ(last({1, {}, std::numeric_limits<int64_t>::max()}), std::vector<float>{1});
  EXPECT_EQ(last({{}, {}, std::numeric_limits<int64_t>::min()}), std::vector<float>{3});
  EXPECT_THROW(last({{}, {}, 0}), InvalidArgumentError);
}

TEST_F(Indexing, EllipsisAndNewAxes) {
  EXPECT_EQ(at({EllipsisIndex{}, int64_t{0}}).shape(), (Shape{2, 3}));
  EXPECT_EQ(at({NewAxis{}, int64_t{0}, NewAxis{}}).shape(), (Shape{1, 1, 3, 4}));
  EXPECT_THROW(at({EllipsisIndex{}, EllipsisIndex{}}), InvalidArgumentError);
  EXPECT_THROW(at({int64_t{0}, int64_t{0}, int64_t{0}, int64_t{0}}), ShapeError);
}

TEST_F(Indexing, ArraysTake) {
  EXPECT_EQ(read(at({int64_t{0}, ints({2, -3}), int64_t{1}})), (std::vector<float>{9, 1}));
  EXPECT_EQ(at({SliceIndex{}, ints({2, 0, 1, 1})}).shape(), (Shape{2, 4, 4}));
  EXPECT_THROW(at({SliceIndex{}, ints({3})}), OutOfRangeError);
  EXPECT_THROW(at({SliceIndex{}, ints({-4})}), OutOfRangeError);
}

TEST_F(Indexing, AdjacentArraysPairUp) {
  EXPECT_EQ(read(at({ints({0, 1}), ints({2, 0}), int64_t{3}})), (std::vector<float>{11, 15}));
  // Position 3 of the second axis leads to an element of the next row: not silently.
  EXPECT_THROW(at({ints({0}), ints({3}), int64_t{0}}), OutOfRangeError);
}

TEST_F(Indexing, SeparatedArraysAndMasksAreRefused) {
  EXPECT_THROW(at({ints({0}), SliceIndex{}, ints({0})}), UnsupportedError);
  EXPECT_THROW(at({int64_t{0}, SliceIndex{}, ints({0})}), UnsupportedError);
  EXPECT_THROW(at({floats({0})}), DTypeError);
  EXPECT_THROW(at({apply("greater", {floats({0, 1}), Scalar(0.5)})}), DTypeError);
}

}  // namespace
}  // namespace addax
