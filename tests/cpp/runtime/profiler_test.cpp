#include "runtime/profiler.h"

#include <gtest/gtest.h>

#include "graph/text.h"
#include "runtime/devices.h"
#include "runtime/program.h"

namespace addax {
namespace {

TEST(Profiler, RecordsTheKernelsOfARun) {
  Device& cpu = testing::cpu();
  const auto program = Program::compile(parse_graph(R"(graph g {
    %0 = input "x" : f32[64,64]
    %1 = matmul(%0, %0) {transpose_a=false, transpose_b=false} : f32[64,64]  # dense
    return %1
  })"),
                                        cpu);
  const std::vector<Buffer> inputs = {testing::upload(cpu, std::vector<float>(4096, 1.0f))};
  const std::vector<Buffer> outputs = {cpu.alloc(4096 * 4)};
  program->run(inputs, {}, outputs);
  Profiler::instance().start();
  program->run(inputs, {}, outputs, 3);
  const std::vector<Span> spans = Profiler::instance().stop();
  program->run(inputs, {}, outputs);
  EXPECT_TRUE(Profiler::instance().stop().empty());

  ASSERT_EQ(spans.size(), 3u);
  for (const Span& span : spans) {
    EXPECT_EQ(span.op, "matmul");
    EXPECT_EQ(span.label, "dense");
    EXPECT_EQ(span.flops, 2.0 * 64 * 64 * 64);
    EXPECT_EQ(span.bytes, 3.0 * 64 * 64 * 4);
    EXPECT_LT(span.begin_ns, span.end_ns);
  }
  EXPECT_LE(spans[0].end_ns, spans[1].begin_ns);
}

const std::vector<Span> kSpans = {{"add", "", 1000, 2000, 500, 4000, 0},
                                  {"matmul", "dense \"1\"", 2000, 6000, 8000, 400, 1},
                                  {"add", "", 7000, 8000, 500, 4000, 0}};

TEST(Profiler, PrintsATable) {
  EXPECT_EQ(profile_table(kSpans),
            "op                     calls  total ms   mean us   share   GFLOP/s      GB/s\n"
            "matmul (dense \"1\")         1     0.004      4.00   66.7%      2.00      0.10\n"
            "add                        2     0.002      1.00   33.3%      0.50      4.00\n");
  EXPECT_EQ(profile_table({}), "op     calls  total ms   mean us   share   GFLOP/s      GB/s\n");
}

TEST(Profiler, WritesAChromeTrace) {
  const std::string json = chrome_trace(kSpans);
  EXPECT_NE(
      json.find(R"({"ph":"X","pid":0,"tid":1,"name":"matmul","cat":"op","ts":1.000,"dur":4.000,)"
                R"("args":{"label":"dense \"1\"","flops":8000,"bytes":400}})"),
      std::string::npos)
      << json;
  EXPECT_EQ(chrome_trace({}), "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n]}\n");
}

}  // namespace
}  // namespace addax
