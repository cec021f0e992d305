#include "api/rehearsal.h"

#include <array>

#include "api/api_fixture.h"
#include "core/error.h"

namespace addax {
namespace {

class Rehearsals : public ApiTest {
 protected:
  std::unique_ptr<Executable> add_to(const std::shared_ptr<Variable>& v) {
    const TraceScope scope(trace_);
    const Tensor x = trace_->input({DType::Float32, Shape{2}}, "x");
    v->assign(apply("add", {v, x}));
    return trace_->finish(std::array{v->value()}, device());
  }

  std::shared_ptr<Trace> trace_ = std::make_shared<Trace>("f");
};

TEST_F(Rehearsals, ChangeNothing) {
  const auto v = variable({1, 2});
  const auto executable = add_to(v);
  const std::array inputs = {floats({1, 1})};
  const auto rehearsal = executable->rehearse(inputs, device());
  EXPECT_GT(rehearsal->run(1), 0);
  EXPECT_GT(rehearsal->run(100), 0);
  EXPECT_EQ(read(v->stored()), (std::vector<float>{1, 2}));
  EXPECT_EQ(read(inputs.front()), (std::vector<float>{1, 1}));
  executable->run(inputs);
  EXPECT_EQ(read(v->stored()), (std::vector<float>{2, 3}));
}

TEST_F(Rehearsals, AreUntouchedByRunsMeanwhile) {
  const auto v = variable({1, 2});
  const auto executable = add_to(v);
  const std::array inputs = {floats({1, 1})};
  const auto rehearsal = executable->rehearse(inputs, device());
  executable->run(inputs);
  EXPECT_GT(rehearsal->run(1), 0);
  EXPECT_EQ(read(v->stored()), (std::vector<float>{2, 3}));
}

TEST_F(Rehearsals, TakeTheInputsOfARun) {
  const auto executable = add_to(variable({1, 2}));
  EXPECT_THROW(executable->rehearse({}, device()), InvalidArgumentError);
  EXPECT_THROW(executable->rehearse(std::array{floats({1, 2, 3})}, device()), ShapeError);
}

TEST_F(Rehearsals, GiveTheirMemoryBack) {
  const auto executable = add_to(variable({1, 2}));
  const std::array inputs = {floats({1, 1})};
  executable->run(inputs);
  const uint64_t before = device().allocator().info().bytes_in_use;
  executable->rehearse(inputs, device())->run(3);
  EXPECT_EQ(device().allocator().info().bytes_in_use, before);
}

}  // namespace
}  // namespace addax
