#include "runtime/step_loop.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/text.h"
#include "runtime/devices.h"
#include "runtime/value_check.h"

namespace addax {
namespace {

using namespace std::chrono_literals;
using testing::cpu;
using testing::download;
using testing::upload;

constexpr const char* kCount = R"(graph count {
  %0 = state "n" : i64[] -> %2
  %1 = constant() {value=i64[](1)} : i64[]
  %2 = add(%0, %1) : i64[]
})";

TEST(StepLoop, RunsAllSteps) {
  const Buffer n = upload<int64_t>(cpu(), {0});
  StepLoop loop;
  loop.start(Program::compile(parse_graph(kCount), cpu()), {{}, {n}, {}}, 1000);
  while (!loop.wait_for(10ms)) {
  }
  EXPECT_EQ(loop.finish(), 1000u);
  EXPECT_EQ(download<int64_t>(n)[0], 1000);
}

TEST(StepLoop, StopsAfterTheStepInProgressAndKeepsTheState) {
  const Buffer n = upload<int64_t>(cpu(), {0});
  StepLoop loop;
  loop.start(Program::compile(parse_graph(kCount), cpu()), {{}, {n}, {}}, UINT64_MAX);
  EXPECT_FALSE(loop.wait_for(5ms));
  EXPECT_THROW(loop.start(Program::compile(parse_graph(kCount), cpu()), {{}, {n}, {}}, 1),
               InternalError);
  while (loop.steps_done() < 10) EXPECT_FALSE(loop.wait_for(1ms));
  loop.request_stop();
  const uint64_t done = loop.finish();
  EXPECT_GE(done, 10u);
  EXPECT_EQ(download<int64_t>(n)[0], static_cast<int64_t>(done));

  loop.start(Program::compile(parse_graph(kCount), cpu()), {{}, {n}, {}}, 3);  // runs again
  EXPECT_EQ(loop.finish(), 3u);
}

TEST(StepLoop, StopsWhenItIsDestroyed) {
  const Buffer n = upload<int64_t>(cpu(), {0});
  {
    StepLoop loop;
    loop.start(Program::compile(parse_graph(kCount), cpu()), {{}, {n}, {}}, UINT64_MAX);
  }
  EXPECT_GE(download<int64_t>(n)[0], 0);
}

// Step k looks at element k; the fourth is no index.
TEST(StepLoop, ReportsTheStepWhoseCheckFailed) {
  const auto program = Program::compile(parse_graph(R"(graph look {
    %0 = input "indices" : i64[6]
    %1 = input "table" : f32[5]
    %2 = state "cursor" : i64[] -> %6
    %3 = take(%0, %2) {axis=0, dtype=int64} : i64[]
    %4 = take(%1, %3) {axis=0, dtype=float32} : f32[]
    %5 = constant() {value=i64[](1)} : i64[]
    %6 = add(%2, %5) : i64[]
    return %4
  })"),
                                        cpu());
  const Buffer cursor = upload<int64_t>(cpu(), {0});
  StepLoop loop;
  loop.start(program,
             {{upload<int64_t>(cpu(), {0, 1, 2, 7, 4, 0}), upload<float>(cpu(), {1, 2, 3, 4, 5})},
              {cursor},
              {cpu().alloc(4)}},
             6);
  EXPECT_TRUE(loop.wait_for(10s));
  try {
    loop.finish();
    FAIL();
  } catch (const ValueCheckError& error) {
    EXPECT_EQ(error.check().step, 3u);
    EXPECT_EQ(error.check().value, 7);
    EXPECT_EQ(error.check().index, 0);
  }
  EXPECT_EQ(loop.steps_done(), 3u);
}

}  // namespace
}  // namespace addax
