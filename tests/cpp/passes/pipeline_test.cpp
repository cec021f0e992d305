#include "passes/pipeline.h"

#include <gtest/gtest.h>

#include <ctime>

#include "graph/autodiff.h"
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
  for (unsigned seed = 0; seed < 800 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed).build(static_cast<int>(seed % 60));
    check_meaning(graph, target_without({}));
  }
}

TEST(Pipeline, RandomGraphsKeepTheirMeaningWithoutFusedKernels) {
  PassTarget unfused = target_without({});
  unfused.fuse = false;
  for (unsigned seed = 0; seed < 200 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed).build(static_cast<int>(seed % 60));
    check_meaning(graph, target_without({"fused", "matmul_epilogue", "sgd"}));
    check_meaning(graph, unfused);
  }
}

// What becomes of the usual training step of two dense layers.
TEST(Pipeline, ATrainingStepOfTwoDenseLayers) {
  Graph graph = parse_graph(R"ir(graph step {
    %x = input "x" : f32[32,784]
    %y = input "y" : i32[32]
    %rate = input "rate" : f32[]
    %w1 = state "w1" : f32[784,128]
    %b1 = state "b1" : f32[128]
    %w2 = state "w2" : f32[128,10]
    %b2 = state "b2" : f32[10]
    %0 = matmul(%x, %w1)  # hidden
    %1 = add(%0, %b1)  # hidden
    %2 = relu(%1)  # hidden
    %3 = matmul(%2, %w2)  # head
    %4 = add(%3, %b2)  # head
    %5 = sparse_softmax_cross_entropy(%4, %y)  # loss
    %6 = mean(%5)  # loss
    return %6
  })ir");
  const Value rate = graph.inputs()[2];
  std::vector<Value> inputs = {rate};
  std::vector<Value> parameters;
  for (const State& state : graph.states()) parameters.push_back(state.value);
  const std::vector<Value> grads = gradients(graph, graph.outputs()[0], parameters);
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  inputs.insert(inputs.end(), grads.begin(), grads.end());
  graph.set_label("optimizer");
  const std::vector<Value> next = graph.call_all("sgd", inputs);
  for (size_t i = 0; i < next.size(); ++i) graph.set_next(parameters[i], next[i]);
  optimize(graph, target_without({"mean"}));

  std::string thirty_two = "0.03125";
  for (int i = 1; i < 32; ++i) thirty_two += ", 0.03125";
  const std::string expected = R"ir(graph step {
    %x = input "x" : f32[32,784]
    %y = input "y" : i32[32]
    %rate = input "rate" : f32[]
    %w1 = state "w1" : f32[784,128] -> %n1
    %b1 = state "b1" : f32[128] -> %n2
    %w2 = state "w2" : f32[128,10] -> %n3
    %b2 = state "b2" : f32[10] -> %n4
    %h = matmul_epilogue(%x, %w1, %b1) {epilogue="maximum(i0 + i1, 0)"}  # hidden
    %z = matmul_epilogue(%h, %w2, %b2) {epilogue="i0 + i1"}  # head
    %l = sparse_softmax_cross_entropy(%z, %y)  # loss
    %s = sum(%l)  # loss
    %m = fused(%s) {expr="i0 * 0.03125", shape=[], compute=f32, dtypes=[7]}  # loss
    %dl = constant() {value=f32[32](THIRTY_TWO)}  # loss
    %dz = sparse_softmax_cross_entropy_grad(%z, %y, %dl)  # loss
    %db2 = sum(%dz) {axes=[0]}  # head
    %dw2 = matmul(%h, %dz) {transpose_a=true}  # head
    %dh = matmul_epilogue(%dz, %w2, %h) {epilogue="where(i1 > 0, i0, 0)", transpose_b=true}  # head
    %db1 = sum(%dh) {axes=[0]}  # hidden
    %dw1 = matmul(%x, %dh) {transpose_a=true}  # hidden
    %n1, %n2, %n3, %n4 = sgd(%rate, %w1, %b1, %w2, %b2, %dw1, %db1, %dw2, %db2)  # optimizer
    return %m
  })ir";
  const std::string marker = "THIRTY_TWO";
  EXPECT_EQ(to_text(graph), to_text(parse_graph(std::string(expected).replace(
                                expected.find(marker), marker.size(), thirty_two))));
}

// Many nodes take time in proportion: nothing walks the whole graph for each of them.
TEST(Pipeline, LongGraphsTakeLinearTime) {
  Graph graph;
  const Value x = graph.add_input("x", {DType::Float32, {64, 64}});
  Value y = x;
  constexpr int kLayers = 4000;
  for (int i = 0; i < kLayers; ++i) {
    const Value w = graph.add_state("w" + std::to_string(i), {DType::Float32, {64, 64}});
    const Value h = graph.call("tanh", {graph.call("matmul", {y, w})});
    graph.set_next(w, graph.subtract(w, graph.multiply(h, graph.scalar(0.1, DType::Float32))));
    y = graph.add(y, graph.call("relu", {h}));
  }
  graph.add_output(y);
  const std::clock_t begin = std::clock();
  optimize(graph, target_without({}));
  plan_memory(graph, 64);
  // About a third of a second; what is quadratic would take minutes.
  EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 10);
}

}  // namespace
}  // namespace addax
