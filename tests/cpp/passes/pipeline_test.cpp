#include "passes/pipeline.h"

#include <gtest/gtest.h>

#include "graph/interpreter.h"
#include "passes/memory_plan.h"
#include "passes/pass_fixture.h"
#include "passes/random_graph.h"

namespace addax {
namespace {

using testing::Data;
using testing::Interpreter;
using testing::RandomGraph;
using testing::target_without;

std::vector<Data> random_data(const Graph& graph, const std::vector<Value>& values, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Data> result;
  for (Value value : values) {
    Data data;
    const DType dtype = graph.dtype(value);
    for (int64_t i = 0; i < graph.shape(value).num_elements(); ++i) {
      const double number = std::uniform_real_distribution<double>(-3, 3)(random);
      data.push_back(testing::rounded(dtype == DType::UInt8 ? std::fabs(number) : number, dtype));
    }
    result.push_back(std::move(data));
  }
  return result;
}

bool same_bits(const std::vector<Data>& a, const std::vector<Data>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto equal = [](double x, double y) {
      return x == y || (std::isnan(x) && std::isnan(y));
    };
    if (!std::equal(a[i].begin(), a[i].end(), b[i].begin(), b[i].end(), equal)) return false;
  }
  return true;
}

// What `optimize` makes of a graph computes the same bits.
void check_meaning(const Graph& before, const PassTarget& target) {
  Graph after = before;
  optimize(after, target);
  plan_memory(after, 64);
  std::vector<Value> states;
  for (const State& state : before.states()) states.push_back(state.value);
  const std::vector<Data> inputs = random_data(before, before.inputs(), 1);
  const std::vector<Data> held = random_data(before, states, 2);
  Interpreter expected(before);
  expected.run(inputs, held);
  Interpreter actual(after);
  actual.run(inputs, held);
  EXPECT_TRUE(same_bits(actual.outputs(), expected.outputs()) &&
              same_bits(actual.next_states(), expected.next_states()))
      << to_text(before) << to_text(after);
}

TEST(Pipeline, RandomGraphsKeepTheirMeaning) {
  for (unsigned seed = 0; seed < 2000 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed).build(static_cast<int>(seed % 60));
    check_meaning(graph, target_without({}));
  }
}

TEST(Pipeline, RandomGraphsKeepTheirMeaningWithoutFusedKernels) {
  PassTarget unfused = target_without({});
  unfused.fuse = false;
  for (unsigned seed = 0; seed < 500 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed).build(static_cast<int>(seed % 60));
    check_meaning(graph, target_without({"fused", "matmul_epilogue", "sgd"}));
    check_meaning(graph, unfused);
  }
}

}  // namespace
}  // namespace addax
