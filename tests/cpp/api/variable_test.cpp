#include "api/variable.h"

#include <array>
#include <thread>

#include "api/api_fixture.h"
#include "core/error.h"

namespace addax {
namespace {

class Variables : public ApiTest {};

TEST_F(Variables, AssignChangesNoTensorReadBefore) {
  const auto v = variable({1, 2});
  const Tensor before = v->value();
  v->assign(floats({3, 4}));
  EXPECT_EQ(read(before), (std::vector<float>{1, 2}));
  EXPECT_EQ(read(v->value()), (std::vector<float>{3, 4}));
}

TEST_F(Variables, AssignChangesNotTheInitialTensor) {
  const Tensor initial = floats({1, 2});
  Variable v(initial, "v", true);
  v.assign(floats({3, 4}));
  EXPECT_EQ(read(initial), (std::vector<float>{1, 2}));
}

TEST_F(Variables, WritesInPlaceWhenNobodyElseLooks) {
  const auto v = variable({1, 2});
  v->assign(floats({3, 4}));
  const adx_buffer* handle = v->value().buffer().handle();
  v->assign(floats({5, 6}));
  EXPECT_EQ(v->value().buffer().handle(), handle);
}

TEST_F(Variables, AssignOfItsOwnValueIsFine) {
  const auto v = variable({1, 2});
  v->assign(v->value());
  EXPECT_EQ(read(v->value()), (std::vector<float>{1, 2}));
}

TEST_F(Variables, AssignChecksShapeAndKind) {
  const auto v = variable({1, 2});
  EXPECT_THROW(v->assign(floats({1, 2, 3})), ShapeError);
  v->assign(ints({7, 8}));  // integers become floats
  EXPECT_EQ(read(v->value()), (std::vector<float>{7, 8}));
  Variable counter(ints({1}), "counter", false);
  EXPECT_THROW(counter.assign(floats({1.5F})), DTypeError);
}

TEST_F(Variables, AskingAgainOnTheSameThreadThrowsInsteadOfWaiting) {
  const auto v = variable({1});
  const VariableLocks writing(*v, true);
  EXPECT_THROW(v->value(), InvalidArgumentError);
  EXPECT_THROW(v->assign(floats({2})), InvalidArgumentError);
}

TEST_F(Variables, ReadingAgainWhileReadingIsFine) {
  const auto v = variable({1});
  const VariableLocks reading(*v, false);
  EXPECT_EQ(read(v->value()), std::vector<float>{1});
  EXPECT_THROW(v->assign(floats({2})), InvalidArgumentError);
}

TEST_F(Variables, LocksInOppositeOrderDoNotDeadlock) {
  const auto a = variable({0}, "a");
  const auto b = variable({0}, "b");
  const auto work = [](const Variable& first, const Variable& second) {
    for (int i = 0; i < 2000; ++i) {
      const std::array<VariableLocks::Request, 3> requests{
          {{&first, true}, {&second, true}, {&first, false}}};
      const VariableLocks locks(requests);
    }
  };
  std::thread other([&] { work(*b, *a); });
  work(*a, *b);
  other.join();
}

TEST_F(Variables, ReadersSeeWholeAssignments) {
  const std::vector<float> zeros(4096, 0.0F);
  const std::vector<float> ones(4096, 1.0F);
  const auto v = variable(zeros);
  const Tensor zero = floats(zeros);
  const Tensor one = floats(ones);
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) v->assign(i % 2 == 0 ? one : zero);
  });
  for (int i = 0; i < 300; ++i) {
    const std::vector<float> seen = read(v->value());
    EXPECT_TRUE(seen == zeros || seen == ones);
  }
  writer.join();
}

}  // namespace
}  // namespace addax
