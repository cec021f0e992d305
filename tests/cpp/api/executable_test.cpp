#include "api/executable.h"

#include <algorithm>
#include <array>

#include "api/api_fixture.h"
#include "core/error.h"

namespace addax {
namespace {

class Executables : public ApiTest {
 protected:
  // Adds its input to the one, and reads the other.
  std::unique_ptr<Executable> add(const std::shared_ptr<Variable>& to,
                                  const std::shared_ptr<Variable>& more) {
    const auto trace = std::make_shared<Trace>("f");
    const TraceScope scope(trace);
    const Tensor x = trace->input({DType::Float32, Shape{2}}, "x");
    to->assign(apply("add", {to, apply("add", {more, x})}));
    return trace->finish(std::array{to->value()}, device());
  }
};

TEST_F(Executables, UpdateTheVariablesTheyAreReboundTo) {
  const auto sum = variable({1, 2});
  const auto more = variable({10, 20});
  const auto executable = add(sum, more);
  const auto other = variable({5, 6});
  std::vector<std::shared_ptr<Variable>> variables = executable->variables();
  std::ranges::replace(variables, sum, other);
  const auto rebound = executable->rebind(std::move(variables), device());
  const std::array inputs = {floats({1, 1})};
  rebound->run_steps(inputs, 2, {}, 1);
  EXPECT_EQ(read(other->stored()), (std::vector<float>{27, 48}));
  EXPECT_EQ(read(sum->stored()), (std::vector<float>{1, 2}));
  executable->run(inputs);
  EXPECT_EQ(read(sum->stored()), (std::vector<float>{12, 23}));
}

TEST_F(Executables, AreReboundToVariablesOfTheSameTypes) {
  const auto executable = add(variable({1, 2}), variable({3, 4}));
  EXPECT_THROW(executable->rebind({variable({1, 2})}, device()), InvalidArgumentError);
  EXPECT_THROW(executable->rebind({variable({1, 2}), variable({1, 2, 3})}, device()),
               InvalidArgumentError);
}

TEST_F(Executables, DrawFromAnotherNumberOfSamples) {
  const auto sum = variable({0, 0});
  const auto trace = std::make_shared<Trace>("f");
  std::unique_ptr<Executable> executable;
  {
    const TraceScope scope(trace);
    const Tensor x = trace->input({DType::Float32, Shape{3, 2}}, "x");
    const Tensor at = trace->input({DType::Int32, Shape{1}}, "at");
    const Tensor drawn = apply("take", {x, at}, {{"axis", int64_t{0}}});
    sum->assign(apply("add", {sum, reshape(drawn, {2})}));
    executable = trace->finish({}, device());
  }
  const auto wider = executable->with_samples(1, 5);
  ASSERT_NE(wider, nullptr);
  const Tensor x = floats({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {5, 2});
  const Tensor last = reshape(ints({4}), {1});
  wider->run(std::array{x, last});
  EXPECT_EQ(read(sum->stored()), (std::vector<float>{8, 9}));
  EXPECT_THROW(executable->run(std::array{x, last}), ShapeError);
  EXPECT_EQ(executable->with_samples(2, 5), nullptr) << "indices are not drawn from";
}

}  // namespace
}  // namespace addax
