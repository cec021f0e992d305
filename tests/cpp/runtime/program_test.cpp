#include "runtime/program.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "graph/text.h"
#include "runtime/arena_pool.h"
#include "runtime/devices.h"
#include "runtime/failed_run.h"
#include "runtime/value_check.h"

namespace addax {
namespace {

using testing::cpu;
using testing::download;
using testing::null_device;
using testing::upload;

constexpr const char* kAddOne = R"(graph add_one {
  %0 = input "x" : f32[4]
  %1 = constant() {value=f32[](1)} : f32[]
  %2 = add(%0, %1) : f32[4]
  return %2
})";

// A weight that moves by the mean of a matrix product, and what it was.
constexpr const char* kStep = R"(graph step {
  %0 = input "x" : f32[8,16]
  %1 = state "w" : f32[16,4] -> %7
  %2 = state "steps" : i64[] -> %9
  %3 = matmul(%0, %1) {transpose_a=false, transpose_b=false} : f32[8,4]
  %4 = tanh(%3) : f32[8,4]
  %5 = matmul(%0, %4) {transpose_a=true, transpose_b=false} : f32[16,4]
  %6 = sum(%4) {axes=[0,1], keepdims=false} : f32[]
  %7 = subtract(%1, %5) : f32[16,4]
  %8 = constant() {value=i64[](1)} : i64[]
  %9 = add(%2, %8) : i64[]
  %10 = reshape(%4) {shape=[32]} : f32[32]
  return %6, %10
})";

constexpr const char* kLoss = R"(graph loss {
  %0 = input "logits" : f32[6,10]
  %1 = input "labels" : i32[6]
  %2 = state "seen" : i64[] -> %5
  %3 = sparse_softmax_cross_entropy(%0, %1) : f32[6]  # head
  %4 = constant() {value=i64[](1)} : i64[]
  %5 = add(%2, %4) : i64[]
  return %3
})";

TEST(Program, ComputesOnTheCpu) {
  const auto program = Program::compile(parse_graph(kAddOne), cpu());
  const std::vector<Buffer> inputs = {upload<float>(cpu(), {1, 2, 3, 4})};
  const std::vector<Buffer> outputs = {cpu().alloc(16)};
  EXPECT_EQ(program->run(inputs, {}, outputs), 1u);
  EXPECT_EQ(download<float>(outputs[0]), (std::vector<float>{2, 3, 4, 5}));
  EXPECT_EQ(program->num_nodes(), 1);
  EXPECT_EQ(program->flops(), 4);
}

TEST(Program, CarriesStateFromStepToStep) {
  const auto program = Program::compile(parse_graph(kStep), cpu());
  std::vector<float> x(128), w(64);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
  for (size_t i = 0; i < w.size(); ++i) w[i] = 0.1f * std::cos(static_cast<float>(i));
  const std::vector<Buffer> inputs = {upload(cpu(), x)};
  const std::vector<Buffer> states = {upload(cpu(), w), upload<int64_t>(cpu(), {5})};
  const std::vector<Buffer> outputs = {cpu().alloc(4), cpu().alloc(128)};
  constexpr int kSteps = 3;
  EXPECT_EQ(program->run(inputs, states, outputs, kSteps), 3u);

  std::vector<double> weight(w.begin(), w.end()), y(32);
  double sum = 0;
  for (int step = 0; step < kSteps; ++step) {
    sum = 0;
    for (size_t i = 0; i < 8; ++i) {
      for (size_t j = 0; j < 4; ++j) {
        double dot = 0;
        for (size_t k = 0; k < 16; ++k) dot += double{x[16 * i + k]} * weight[4 * k + j];
        sum += y[4 * i + j] = std::tanh(dot);
      }
    }
    for (size_t k = 0; k < 16; ++k) {
      for (size_t j = 0; j < 4; ++j) {
        for (size_t i = 0; i < 8; ++i) weight[4 * k + j] -= double{x[16 * i + k]} * y[4 * i + j];
      }
    }
  }
  EXPECT_EQ(download<int64_t>(states[1])[0], 8);
  EXPECT_NEAR(download<float>(outputs[0])[0], sum, 1e-4);
  const std::vector<float> got_y = download<float>(outputs[1]);
  for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(got_y[i], y[i], 1e-5);
  const std::vector<float> got_w = download<float>(states[0]);
  for (size_t i = 0; i < weight.size(); ++i) EXPECT_NEAR(got_w[i], weight[i], 1e-4);
}

TEST(Program, PassesTheNullDevicesChecks) {
  for (const int index : {0, 1}) {
    Device& device = null_device(index);
    const auto program = Program::compile(parse_graph(kStep), device);
    const std::vector<Buffer> inputs = {device.alloc(512)};
    const std::vector<Buffer> states = {device.alloc(256), device.alloc(8)};
    const std::vector<Buffer> outputs = {device.alloc(4), device.alloc(128)};
    EXPECT_EQ(program->run(inputs, states, outputs, 1000), 1000u);
    EXPECT_EQ(program->run(inputs, states, outputs, 0), 0u);
  }
}

TEST(Program, DecomposesWhatTheDeviceRefuses) {
  setenv("ADDAX_NULL_REFUSE", "sparse_softmax_cross_entropy,log_softmax,softmax,fused", 1);
  const auto program = Program::compile(parse_graph(kLoss), null_device());
  unsetenv("ADDAX_NULL_REFUSE");
  EXPECT_GT(program->num_nodes(), 3);
  for (const Node& node : program->graph().nodes()) {
    EXPECT_NE(node.op->name, "sparse_softmax_cross_entropy");
  }
}

TEST(Program, NamesTheLabelThatIsOutOfRange) {
  const auto program = Program::compile(parse_graph(kLoss), cpu());
  const std::vector<Buffer> states = {upload<int64_t>(cpu(), {0})};
  const std::vector<Buffer> outputs = {cpu().alloc(24)};
  std::vector<Buffer> inputs = {upload(cpu(), std::vector<float>(60, 0.5f)),
                                upload<int32_t>(cpu(), {0, 1, 9, 3, 4, 12})};
  try {
    program->run(inputs, states, outputs, 5);
    FAIL();
  } catch (const ValueCheckError& error) {
    EXPECT_EQ(std::string(error.what()).substr(0, 76),
              "[sparse_softmax_cross_entropy] label 12 at index 5 is outside [0, 10) (in 'h");
    EXPECT_EQ(error.check().index, 5);
    EXPECT_EQ(error.check().value, 12);
    EXPECT_EQ(error.check().step, 0u);
    EXPECT_EQ(error.check().label, "head");
    EXPECT_EQ(error.code(), ErrorCode::OutOfRange);
  }
  inputs[1] = upload<int32_t>(cpu(), {0, 1, 9, 3, 4, 5});
  EXPECT_EQ(program->run(inputs, states, outputs), 1u);
  EXPECT_NEAR(download<float>(outputs[0])[0], std::log(10.0), 1e-6);
  EXPECT_GE(download<int64_t>(states[0])[0], 1);
}

TEST(Program, NamesTheIndexThatIsOutOfRange) {
  const auto program = Program::compile(parse_graph(R"(graph rows {
    %0 = input "x" : f32[5,3]
    %1 = input "i" : i64[2,2]
    %2 = take(%0, %1) {axis=0, dtype=float32} : f32[2,2,3]
    return %2
  })"),
                                        cpu());
  const std::vector<Buffer> outputs = {cpu().alloc(48)};
  const std::vector<Buffer> inputs = {upload(cpu(), std::vector<float>(15, 1.0f)),
                                      upload<int64_t>(cpu(), {4, 0, -1, 2})};
  try {
    program->run(inputs, {}, outputs);
    FAIL();
  } catch (const ValueCheckError& error) {
    EXPECT_STREQ(error.what(), "[take] index -1 at index 2 is outside [0, 5)");
  }
}

TEST(Program, RejectsBuffersThatDoNotFit) {
  const auto program = Program::compile(parse_graph(kAddOne), cpu());
  const Buffer good = cpu().alloc(16);
  const auto error_of = [&](const std::vector<Buffer>& inputs, const std::vector<Buffer>& outputs) {
    try {
      program->run(inputs, {}, outputs);
    } catch (const InvalidArgumentError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(error_of({}, {good}), "[add_one] expected 1 inputs, got 0");
  EXPECT_EQ(error_of({good}, {cpu().alloc(12)}),
            "[add_one] output 0 needs 16 bytes on cpu:0, got 12 bytes on cpu:0");
  EXPECT_EQ(error_of({Buffer()}, {good}),
            "[add_one] input 'x' needs 16 bytes on cpu:0, got an empty buffer");
  EXPECT_EQ(error_of({null_device().alloc(16)}, {good}),
            "[add_one] input 'x' needs 16 bytes on cpu:0, got 16 bytes on null:0");
  EXPECT_EQ(error_of({good}, {good, good}), "[add_one] expected 1 outputs, got 2");
}

TEST(Program, StaysUsableWhenMemoryRunsOut) {
  const auto program = Program::compile(parse_graph(kStep), null_device());
  ASSERT_GT(program->arena_bytes(), 0u);
  const std::vector<Buffer> inputs = {null_device().alloc(512)};
  const std::vector<Buffer> states = {null_device().alloc(256), null_device().alloc(8)};
  const std::vector<Buffer> outputs = {null_device().alloc(4), null_device().alloc(128)};
  ArenaPool::of(null_device()).trim();
  null_device().allocator().trim();
  setenv("ADDAX_NULL_MEMORY", "1000", 1);
  try {
    program->run(inputs, states, outputs);
    FAIL() << "there was no memory";
  } catch (const OutOfMemoryError& error) {
    EXPECT_EQ(dynamic_cast<const FailedRun*>(&error), nullptr) << "nothing has run";
  }
  unsetenv("ADDAX_NULL_MEMORY");
  EXPECT_EQ(program->run(inputs, states, outputs), 1u);
}

TEST(Program, SharesOneArenaAmongPrograms) {
  ArenaPool::of(cpu()).trim();
  cpu().allocator().trim();
  std::vector<std::shared_ptr<Program>> programs;
  const uint64_t before = cpu().allocator().info().bytes_in_use;
  uint64_t largest = 0;
  for (int i = 1; i <= 20; ++i) {
    const std::string rows = std::to_string(100 * i);
    programs.push_back(
        Program::compile(parse_graph("graph chain {\n  %0 = input \"x\" : f32[" + rows +
                                     ",64]\n  %1 = matmul(%0, %0) {transpose_a=true, "
                                     "transpose_b=false} : f32[64,64]\n  %2 = matmul(%0, "
                                     "%1) {transpose_a=false, transpose_b=false} : f32[" +
                                     rows +
                                     ",64]\n  %3 = matmul(%2, %2) "
                                     "{transpose_a=true, transpose_b=false} : "
                                     "f32[64,64]\n  return %3\n}"),
                         cpu()));
    const std::vector<Buffer> inputs = {
        upload(cpu(), std::vector<float>(static_cast<size_t>(6400 * i)))};
    const std::vector<Buffer> outputs = {cpu().alloc(64 * 64 * 4)};
    programs.back()->run(inputs, {}, outputs);
    largest = std::max(largest, programs.back()->arena_bytes());
  }
  EXPECT_GE(largest, 2000u * 64 * 4);
  const uint64_t held = cpu().allocator().info().bytes_in_use - before;
  EXPECT_GE(held, largest);
  EXPECT_LE(held, CachingAllocator::size_class(largest));
}

TEST(Program, ServesManyThreads) {
  const auto program = Program::compile(parse_graph(kAddOne), cpu());
  const auto other = Program::compile(parse_graph(kStep), cpu());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto first = static_cast<float>(t);
      const std::vector<Buffer> inputs = {upload<float>(cpu(), {first, 2, 3, 4})};
      const std::vector<Buffer> outputs = {cpu().alloc(16)};
      const std::vector<Buffer> step_inputs = {upload(cpu(), std::vector<float>(128, 0.01f))};
      const std::vector<Buffer> states = {upload(cpu(), std::vector<float>(64, 0.1f)),
                                          upload<int64_t>(cpu(), {0})};
      const std::vector<Buffer> step_outputs = {cpu().alloc(4), cpu().alloc(128)};
      for (int i = 0; i < 200; ++i) {
        program->run(inputs, {}, outputs);
        EXPECT_EQ(download<float>(outputs[0])[0], first + 1);
        other->run(step_inputs, states, step_outputs, 2);
      }
      EXPECT_EQ(download<int64_t>(states[1])[0], 400);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace addax
