#include "runtime/placed_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "core/error.h"
#include "graph/text.h"
#include "passes/random_graph.h"
#include "runtime/devices.h"
#include "runtime/failed_run.h"
#include "runtime/fallback_report.h"
#include "runtime/picky_device.h"
#include "runtime/profiler.h"
#include "runtime/value_check.h"

namespace addax {
namespace {

using testing::cpu;
using testing::download;
using testing::Picky;
using testing::picky_device;
using testing::RandomGraph;
using testing::upload;

std::vector<std::string> the_warnings;

// Both devices, one after the other.
class PlacedProgram : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    the_warnings.clear();
    set_warning_receiver([](const std::string& text) { the_warnings.push_back(text); });
  }
  Device& device() const { return picky_device(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Devices, PlacedProgram, ::testing::Bool(), [](const auto& info) {
  return info.param ? "Asynchronous" : "Synchronous";
});

using Bytes = std::vector<uint8_t>;

struct Held {
  std::vector<Bytes> states;
  std::vector<Bytes> outputs;
  bool operator==(const Held&) const = default;
};

Bytes random_bytes(const TensorType& type, std::mt19937& random) {
  Bytes bytes(static_cast<size_t>(type.bytes()));
  for (int64_t i = 0; i < type.shape.num_elements(); ++i) {
    const double number = std::uniform_real_distribution<double>(-3, 3)(random);
    const auto put = [&](auto value) {
      std::memcpy(bytes.data() + static_cast<size_t>(i) * sizeof value, &value, sizeof value);
    };
    switch (type.dtype) {
      case DType::Float32:
        put(static_cast<float>(number));
        break;
      case DType::Float64:
        put(number);
        break;
      case DType::Int32:
        put(static_cast<int32_t>(number));
        break;
      case DType::Int64:
        put(static_cast<int64_t>(number));
        break;
      case DType::Bool:
        put(number > 0);
        break;
      default:
        put(static_cast<uint8_t>(std::fabs(number)));
        break;
    }
  }
  return bytes;
}

// What the steps leave of random inputs and states.
Held run_steps(const Graph& graph, Device& device, uint64_t n_steps) {
  std::mt19937 random(7);
  const auto random_buffer = [&](Value value) {
    return upload(device, random_bytes(graph.type(value), random));
  };
  std::vector<Buffer> inputs, states, outputs;
  for (const Value input : graph.inputs()) inputs.push_back(random_buffer(input));
  for (const State& state : graph.states()) states.push_back(random_buffer(state.value));
  for (const Value output : graph.outputs()) {
    outputs.push_back(device.alloc(graph.type(output).bytes()));
  }
  const auto program = Program::compile(graph, device);
  EXPECT_EQ(program->run(inputs, states, outputs, n_steps), n_steps);
  Held held;
  for (const Buffer& state : states) held.states.push_back(download<uint8_t>(state));
  for (const Buffer& output : outputs) held.outputs.push_back(download<uint8_t>(output));
  return held;
}

TEST_P(PlacedProgram, LeavesTheBitsOfTheCpu) {
  const std::vector<std::string> candidates = {
      "tanh",   "add",      "maximum", "where", "cast", "broadcast_to", "transpose", "sum",
      "matmul", "subtract", "less",    "relu",  "copy", "multiply",     "negative",  "max"};
  for (unsigned seed = 0; seed < 150 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed).build(static_cast<int>(seed % 60));
    const Held expected = run_steps(graph, cpu(), 3);
    std::mt19937 random(seed);
    std::set<std::string> refused = {"fused", "matmul_epilogue", "sgd"};
    for (const std::string& op : candidates) {
      if (random() % 3 == 0) refused.insert(op);
    }
    const Picky picky(refused);
    EXPECT_TRUE(run_steps(graph, device(), 3) == expected) << to_text(graph);
  }
}

// Two weights; the second one's gradient goes through the host.
constexpr const char* kStep = R"(graph step {
  %x = input "x" : f32[8,16]
  %labels = input "labels" : i32[8]
  %w = state "w" : f32[16,4] -> %v
  %n = state "n" : i64[] -> %m
  %y = matmul(%x, %w)  # squash
  %t = tanh(%y)  # squash
  %l = sparse_softmax_cross_entropy(%t, %labels)  # head
  %s = sum(%l)
  %g = matmul(%x, %t) {transpose_a=true}
  %h = multiply(%g, %s)
  %v = subtract(%w, %h)
  %1 = constant() {value=i64[](1)}
  %m = add(%n, %1)
  return %s
})";

struct Step {
  explicit Step(Device& device)
      : device(device),
        inputs({upload(device, std::vector<float>(128, 0.01f)),
                upload<int32_t>(device, {0, 1, 2, 3, 3, 2, 1, 0})}),
        states({upload(device, std::vector<float>(64, 0.1f)), upload<int64_t>(device, {0})}),
        outputs({device.alloc(4)}) {}
  void label(int32_t value) { inputs[1] = upload<int32_t>(device, {0, 1, 2, 3, 3, value, 1, 0}); }
  uint64_t run(Program& program, uint64_t n_steps = 1, StepControl* control = nullptr) {
    return program.run(inputs, states, outputs, n_steps, control);
  }
  int64_t count() const { return download<int64_t>(states[1])[0]; }
  std::vector<float> weights() const { return download<float>(states[0]); }

  Device& device;
  std::vector<Buffer> inputs;
  std::vector<Buffer> states;
  std::vector<Buffer> outputs;
};

TEST_P(PlacedProgram, TellsOnceOfEachOpWithItsCost) {
  const Picky picky({"fused", "matmul_epilogue", "tanh"});
  Program::compile(parse_graph(kStep), device());
  ASSERT_EQ(the_warnings.size(), 1u);
  EXPECT_EQ(the_warnings[0],
            "[tanh] " + device().name() +
                " has no kernel for (f32[8,4]) -> f32[8,4], in 'squash', and the op has no "
                "decomposition: it runs on cpu:0, which costs 128 bytes to and 128 bytes from the "
                "host each step\nUse another dtype or another device, or set ADDAX_STRICT=1 to "
                "have this raised.");
  Program::compile(parse_graph(kStep), device());
  EXPECT_EQ(the_warnings.size(), 1u);
}

int64_t count_copies(const std::function<void()>& run) {
  Profiler::instance().start();
  run();
  const std::vector<Span> spans = Profiler::instance().stop();
  return std::count_if(spans.begin(), spans.end(),
                       [](const Span& span) { return span.op.starts_with("copy_"); });
}

TEST_P(PlacedProgram, CopiesInputsAndTheHostsOwnStatesOncePerRun) {
  const Picky picky({"add", "fused"});
  const auto program = Program::compile(parse_graph(R"(graph sums {
    %x = input "x" : i64[4]
    %s = state "s" : i64[4] -> %n
    %n = add(%s, %x)
  })"),
                                        device());
  ASSERT_EQ(the_warnings.size(), 1u);
  EXPECT_NE(the_warnings[0].find("costs 0 bytes to and 0 bytes from the host each step, 64 bytes "
                                 "to and 32 bytes from the host each run"),
            std::string::npos)
      << the_warnings[0];
  const std::vector<Buffer> inputs = {upload<int64_t>(device(), {1, 2, 3, 4})};
  const std::vector<Buffer> states = {upload<int64_t>(device(), {0, 0, 0, 1})};
  EXPECT_EQ(count_copies([&] { program->run(inputs, states, {}, 5); }), 3);
  EXPECT_EQ(download<int64_t>(states[0]), (std::vector<int64_t>{5, 10, 15, 21}));
}

// The host reads the state after the device has written it: what it was before stays there, and no
// copy of it meets the device's writing.
TEST_P(PlacedProgram, CopiesNoOldStateThatTheHostDoesNotRead) {
  const Picky picky({"tanh", "fused"});
  const auto program = Program::compile(parse_graph(R"(graph sums {
    %s = state "s" : f32[4] -> %n
    %n = exp(%s)
    %t = tanh(%n)
    return %t
  })"),
                                        device());
  const std::vector<Buffer> states = {upload<float>(device(), {0, 0, 0, 0})};
  const std::vector<Buffer> outputs = {device().alloc(16)};
  EXPECT_EQ(count_copies([&] { program->run({}, states, outputs, 2); }), 3);
  EXPECT_EQ(download<float>(outputs[0])[3], std::tanh(std::exp(std::exp(0.0f))));
}

TEST_P(PlacedProgram, RaisesInStrictMode) {
  const Picky picky({"tanh", "fused", "matmul_epilogue"});
  setenv("ADDAX_STRICT", "1", 1);
  try {
    Program::compile(parse_graph(kStep), device());
    ADD_FAILURE() << "compiled";
  } catch (const UnsupportedError& error) {
    EXPECT_EQ(std::string(error.what()),
              "[tanh] " + device().name() +
                  " has no kernel for (f32[8,4]) -> f32[8,4], in 'squash', and the op has no "
                  "decomposition; use another dtype or another device, or unset ADDAX_STRICT to "
                  "have the CPU compute it");
  }
  setenv("ADDAX_STRICT", "perhaps", 1);
  EXPECT_THROW(Program::compile(parse_graph(kStep), device()), InvalidArgumentError);
  unsetenv("ADDAX_STRICT");
}

TEST_P(PlacedProgram, NamesALabelOutOfRangeOnEitherDevice) {
  for (const char* refused : {"tanh", "sparse_softmax_cross_entropy"}) {
    SCOPED_TRACE(refused);
    const Picky picky({refused, "check_range", "fused", "matmul_epilogue"});
    const auto program = Program::compile(parse_graph(kStep), device());
    Step step(device());
    EXPECT_EQ(step.run(*program, 3), 3u);
    const std::vector<float> before = step.weights();
    step.label(9);
    try {
      step.run(*program, 5);
      ADD_FAILURE() << "ran";
    } catch (const ValueCheckError& error) {
      EXPECT_STREQ(error.what(),
                   "[sparse_softmax_cross_entropy] label 9 at index 5 is outside [0, 4) (in "
                   "'head')");
      EXPECT_EQ(error.check().step, 0u);
    }
    EXPECT_EQ(step.weights(), before);
    step.label(2);
    EXPECT_EQ(step.run(*program, 2), 2u);
    EXPECT_NE(step.weights(), before);
  }
}

TEST_P(PlacedProgram, CountsTheStepsBeforeAFailedCheck) {
  const Picky picky({"add", "take", "fused"});
  const auto program = Program::compile(parse_graph(R"(graph rows {
    %x = input "x" : f32[5]
    %i = state "i" : i64[1] -> %n
    %t = take(%x, %i) {axis=0, dtype=float32}
    %1 = constant() {value=i64[](1)}
    %n = add(%i, %1)
    return %t
  })"),
                                        device());
  const std::vector<Buffer> inputs = {upload<float>(device(), {0, 1, 2, 3, 4})};
  const std::vector<Buffer> states = {upload<int64_t>(device(), {1})};
  const std::vector<Buffer> outputs = {device().alloc(4)};
  try {
    program->run(inputs, states, outputs, 10);
    ADD_FAILURE() << "ran";
  } catch (const ValueCheckError& error) {
    EXPECT_EQ(error.check().step, 4u);
    EXPECT_EQ(error.check().value, 5);
  }
  EXPECT_GE(download<int64_t>(states[0])[0], 5);
}

TEST_P(PlacedProgram, StopsBetweenSteps) {
  const Picky picky({"tanh", "fused", "matmul_epilogue"});
  const auto program = Program::compile(parse_graph(kStep), device());
  Step step(device());
  StepControl control;
  control.request_stop();
  EXPECT_EQ(step.run(*program, 5, &control), 0u);
  EXPECT_EQ(step.count(), 0);
  control.reset();
  EXPECT_EQ(step.run(*program, 5, &control), 5u);
  EXPECT_EQ(control.steps_done(), 5u);
  EXPECT_EQ(step.count(), 5);
}

// The state that only the host computes with comes back as of the last step that it finished.
TEST_P(PlacedProgram, KeepsWhatTheHostComputedWhenADeviceFails) {
  Picky picky({"add", "fused"});
  const auto program = Program::compile(parse_graph(R"(graph sums {
    %x = input "x" : f32[4]
    %n = state "n" : i64[] -> %m
    %s = state "s" : f32[4] -> %e
    %1 = constant() {value=i64[](1)}
    %m = add(%n, %1)
    %e = exp(%x)
  })"),
                                        device());
  const std::vector<Buffer> inputs = {upload<float>(device(), {1, 2, 3, 4})};
  const std::vector<Buffer> states = {upload<int64_t>(device(), {0}), device().alloc(16)};
  picky.run_out_of_memory_after(3);
  EXPECT_THROW(program->run(inputs, states, {}, 10), FailedRunError<OutOfMemoryError>);
  const int64_t counted = download<int64_t>(states[0])[0];
  EXPECT_TRUE(counted == 3 || counted == 4) << counted;
  picky.run_out_of_memory_after(1000);
  EXPECT_EQ(program->run(inputs, states, {}, 2), 2u);
  EXPECT_EQ(download<int64_t>(states[0])[0], counted + 2);
}

// The host computes, and its result is copied, while the device does what need not wait for it.
TEST(PlacedProgramOverlap, TheDeviceGoesOnWhileTheHostComputes) {
  Picky picky({"tanh", "fused"});
  Device& device = picky_device(true);
  const auto program = Program::compile(parse_graph(R"(graph branches {
    %x = input "x" : f32[4]
    %a = exp(%x)
    %t = tanh(%a)
    %c = sqrt(%x)
    %y = add(%t, %c)
    return %y
  })"),
                                        device);
  const std::vector<Buffer> inputs = {upload<float>(device, {1, 4, 9, 16})};
  const std::vector<Buffer> outputs = {device.alloc(16)};
  picky.hold_until_a_copy_after(1);  // the second of three segments on the device: sqrt
  EXPECT_EQ(program->run(inputs, {}, outputs), 1u);
  EXPECT_TRUE(picky.copy_came());
  EXPECT_EQ(download<float>(outputs[0])[3], std::tanh(std::exp(16.0f)) + 4);
}

TEST_P(PlacedProgram, TakesEmptyTensors) {
  const Picky picky({"exp", "fused"});
  const auto program = Program::compile(parse_graph(R"(graph nothing {
    %x = input "x" : f32[0,3]
    %e = exp(%x)
    %a = abs(%e)
    %s = sum(%a)
    return %s, %e
  })"),
                                        device());
  const std::vector<Buffer> inputs = {device().alloc(0)};
  const std::vector<Buffer> outputs = {device().alloc(4), device().alloc(0)};
  EXPECT_EQ(program->run(inputs, {}, outputs, 2), 2u);
  EXPECT_EQ(download<float>(outputs[0])[0], 0.0f);
}

TEST_P(PlacedProgram, RecordsBothDevicesAndTheCopies) {
  const Picky picky({"tanh", "fused", "matmul_epilogue"});
  const auto program = Program::compile(parse_graph(kStep), device());
  Step step(device());
  Profiler::instance().start();
  step.run(*program);
  std::set<std::string> seen;
  for (const Span& span : Profiler::instance().stop()) {
    seen.insert(span.label.empty() ? span.op : span.label);
    if (!span.op.starts_with("copy_")) continue;
    EXPECT_EQ(span.label, device().name());
    EXPECT_EQ(span.bytes, 128);
  }
  for (const std::string& expected :
       {std::string("squash"), std::string("head"), device().name()}) {
    EXPECT_TRUE(seen.contains(expected)) << expected;
  }
}

}  // namespace
}  // namespace addax
