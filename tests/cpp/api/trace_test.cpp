#include "api/trace.h"

#include <array>

#include "api/api_fixture.h"
#include "api/errors.h"
#include "core/error.h"
#include "graph/text.h"

namespace addax {
namespace {

class Traces : public ApiTest {
 protected:
  std::shared_ptr<Trace> trace_ = std::make_shared<Trace>("f");
};

TEST_F(Traces, CompilesWhatWasCalled) {
  Tensor y;
  {
    const TraceScope scope(trace_);
    const Tensor x = trace_->input({DType::Float32, Shape{2}}, "x");
    y = apply("add", {apply("multiply", {x, Scalar(2.0)}), Scalar(1.0)});
    EXPECT_TRUE(y.is_traced());
  }
  const auto executable = trace_->finish(std::array{y}, device());
  EXPECT_EQ(read(executable->run(std::array{floats({1, 2})}).front()), (std::vector<float>{3, 5}));
  EXPECT_EQ(read(executable->run(std::array{floats({5, 6})}).front()),
            (std::vector<float>{11, 13}));
}

TEST_F(Traces, AssignmentsChainAndPersist) {
  const auto v = variable({1});
  Tensor seen;
  {
    const TraceScope scope(trace_);
    v->assign(apply("add", {v, Scalar(1.0)}));
    seen = v->value();
    v->assign(apply("multiply", {v, Scalar(10.0)}));
  }
  EXPECT_EQ(read(v->stored()), std::vector<float>{1});  // tracing runs nothing
  const auto executable = trace_->finish(std::array{seen}, device());
  EXPECT_EQ(read(executable->run({}).front()), std::vector<float>{2});
  EXPECT_EQ(read(v->value()), std::vector<float>{20});
  EXPECT_EQ(read(executable->run({}).front()), std::vector<float>{21});
  EXPECT_EQ(read(v->value()), std::vector<float>{210});
}

TEST_F(Traces, ARunChangesNoTensorReadBefore) {
  const auto v = variable({1});
  {
    const TraceScope scope(trace_);
    v->assign(apply("add", {v, Scalar(1.0)}));
  }
  const auto executable = trace_->finish({}, device());
  const Tensor before = v->value();
  executable->run({});
  EXPECT_EQ(read(before), std::vector<float>{1});
  EXPECT_EQ(read(v->value()), std::vector<float>{2});
}

TEST_F(Traces, AVariablesValueMayBeTheInputOfItsOwnUpdate) {
  const auto v = variable({3});
  {
    const TraceScope scope(trace_);
    const Tensor x = trace_->input({DType::Float32, Shape{1}}, "x");
    v->assign(apply("add", {v, x}));
  }
  const auto executable = trace_->finish({}, device());
  executable->run(std::array{v->value()});
  EXPECT_EQ(read(v->value()), std::vector<float>{6});
}

TEST_F(Traces, RunsSteps) {
  const auto v = variable({0});
  {
    const TraceScope scope(trace_);
    v->assign(apply("add", {v, Scalar(1.0)}));
  }
  const auto executable = trace_->finish({}, device());
  uint64_t done = 0;
  executable->run_steps({}, 1000, nullptr, 0.01, &done);
  EXPECT_EQ(done, 1000U);
  EXPECT_EQ(read(v->value()), std::vector<float>{1000});
}

TEST_F(Traces, AThrowingProgressStopsTheStepsAndKeepsTheState) {
  const auto v = variable({0});
  {
    const TraceScope scope(trace_);
    v->assign(apply("add", {v, Scalar(1.0)}));
  }
  const auto executable = trace_->finish({}, device());
  const auto fail = [&](uint64_t steps) -> bool {
    EXPECT_THROW(v->value(), InvalidArgumentError);  // not a deadlock
    if (steps > 0) throw std::logic_error("enough");
    return true;
  };
  EXPECT_THROW(executable->run_steps({}, uint64_t{1} << 40, fail, 0.001), std::logic_error);
  const float steps = read(v->value()).front();
  EXPECT_GT(steps, 0.0F);
  executable->run({});
  EXPECT_EQ(read(v->value()).front(), steps + 1);
}

TEST_F(Traces, TakesGradients) {
  const auto v = variable({1, 2});
  std::vector<Tensor> gradients;
  {
    const TraceScope scope(trace_);
    const Tensor x = trace_->input({DType::Float32, Shape{2}}, "x");
    const Tensor loss = apply("sum", {apply("multiply", {apply("multiply", {v, v}), x})});
    gradients = trace_->gradients(loss, std::array{Operand(v), Operand(x)});
  }
  const auto executable = trace_->finish(gradients, device());
  const std::vector<Tensor> results = executable->run(std::array{floats({10, 20})});
  EXPECT_EQ(read(results[0]), (std::vector<float>{20, 80}));
  EXPECT_EQ(read(results[1]), (std::vector<float>{1, 4}));
}

TEST_F(Traces, GradientsOfAnOverwrittenVariableAreRefused) {
  const auto v = variable({1});
  const TraceScope scope(trace_);
  const Tensor loss = apply("sum", {apply("multiply", {v, v})});
  v->assign(apply("add", {v, Scalar(1.0)}));
  EXPECT_THROW(trace_->gradients(loss, std::array{Operand(v)}), InvalidArgumentError);
}

TEST_F(Traces, CapturedTensorsAreRefused) {
  const Tensor outside = floats({1});
  const TraceScope scope(trace_);
  EXPECT_THROW(apply("negative", {outside}), TracedValueError);
}

TEST_F(Traces, TracedTensorsEndWithTheirTrace) {
  Tensor x;
  {
    const TraceScope scope(trace_);
    x = trace_->input({DType::Float32, Shape{1}}, "x");
  }
  EXPECT_THROW(apply("negative", {x}), TracedValueError);
  const TraceScope scope(std::make_shared<Trace>("g"));
  EXPECT_THROW(apply("negative", {x}), TracedValueError);
}

TEST_F(Traces, TracedTensorsHaveNoNumbers) {
  const TraceScope scope(trace_);
  const Tensor x = trace_->input({DType::Float32, Shape{1}}, "x");
  float number = 0;
  EXPECT_THROW(x.copy_to_host(&number), TracedValueError);
  EXPECT_THROW(Variable(x, "v", true), TracedValueError);
}

TEST_F(Traces, LargeConstantsAreRefused) {
  const TraceScope scope(trace_);
  const std::vector<float> numbers(kMaxConstantBytes / sizeof(float) + 1);
  const TensorType type{DType::Float32, Shape{static_cast<int64_t>(numbers.size())}};
  EXPECT_THROW(make_tensor(numbers.data(), type), TracedValueError);
  const TensorType smaller{DType::Float32, Shape{static_cast<int64_t>(numbers.size() - 1)}};
  EXPECT_TRUE(make_tensor(numbers.data(), smaller).is_traced());
}

TEST_F(Traces, SuspendedTracesRunOps) {
  const TraceScope scope(trace_);
  const TraceScope eagerly(nullptr);
  EXPECT_EQ(read(apply("negative", {floats({2})})), std::vector<float>{-2});
}

TEST_F(Traces, ScopesCloseInOrder) {
  push_trace(trace_);
  EXPECT_THROW(pop_trace(nullptr), InvalidArgumentError);
  pop_trace(trace_.get());
  EXPECT_THROW(pop_trace(trace_.get()), InvalidArgumentError);
}

TEST_F(Traces, FinishesOnce) {
  const auto executable = trace_->finish({}, device());
  EXPECT_TRUE(trace_->is_finished());
  EXPECT_THROW(trace_->finish({}, device()), TracedValueError);
}

TEST_F(Traces, LabelsNest) {
  const TraceScope scope(trace_);
  const Tensor x = trace_->input({DType::Float32, Shape{1}}, "x");
  trace_->push_label("block");
  trace_->push_label("dense");
  apply("negative", {x});
  trace_->pop_label();
  apply("abs", {x});
  trace_->pop_label();
  const std::string text = to_text(trace_->graph());
  EXPECT_NE(text.find("# block/dense"), std::string::npos) << text;
  EXPECT_NE(text.find("# block\n"), std::string::npos) << text;
}

TEST_F(Traces, InputsAreChecked) {
  Tensor x;
  {
    const TraceScope scope(trace_);
    x = trace_->input({DType::Float32, Shape{2}}, "images");
  }
  const auto executable = trace_->finish(std::array{x}, device());
  EXPECT_THROW(executable->run({}), InvalidArgumentError);
  EXPECT_THROW(executable->run(std::array{ints({1, 2})}), DTypeError);
  try {
    executable->run(std::array{floats({1, 2, 3})});
    FAIL() << "no error";
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(), "[f] input 'images' must be f32[2], got f32[3]");
  }
}

}  // namespace
}  // namespace addax
