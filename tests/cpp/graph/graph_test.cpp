#include "graph/graph.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "graph/text.h"
#include "graph/verifier.h"
#include "ops/registry.h"

namespace addax {
namespace {

const TensorType kVector = {DType::Float32, {3}};

template <typename E, typename Body>
void expect_error(const std::string& message, Body body) {
  try {
    body();
    ADD_FAILURE() << "no error: " << message;
  } catch (const E& error) {
    EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
  }
}

TEST(Graph, NextValuesMustHaveTheStatesType) {
  Graph graph;
  const Value state = graph.add_state("s", kVector);
  EXPECT_EQ(graph.states()[0].next, state);
  expect_error<ShapeError>("state 's' holds f32[3] and cannot take f32[]",
                           [&] { graph.set_next(state, graph.scalar(1, DType::Float32)); });
  expect_error<DTypeError>("cannot take f64[3]",
                           [&] { graph.set_next(state, graph.cast(state, DType::Float64)); });
  expect_error<InvalidArgumentError>("not a state",
                                     [&] { graph.set_next(graph.negative(state), state); });
}

TEST(Graph, RejectsValuesOfOtherGraphs) {
  Graph graph;
  const Value x = graph.add_input("x", kVector);
  expect_error<InvalidArgumentError>("[add] input 1", [&] { graph.add(x, Value()); });
  expect_error<InvalidArgumentError>("[add] input 1", [&] { graph.add(x, Value{17}); });
}

TEST(Graph, CompactSortsStablyAndDropsErasedNodes) {
  Graph graph;
  const Value x = graph.add_input("x", kVector);
  const Value a = graph.negative(x);
  const Value b = graph.call("exp", {a});
  const Value c = graph.call("sin", {x});
  graph.add_output(b);
  graph.add_output(c);
  const Value late = graph.call("cos", {x});
  graph.replace_uses(a, late);
  graph.mutable_nodes()[0].op = nullptr;
  graph.compact();
  verify(graph, "compact");
  EXPECT_EQ(to_text(graph), R"(graph main {
  %0 = input "x" : f32[3]
  %1 = cos(%0) : f32[3]
  %2 = exp(%1) : f32[3]
  %3 = sin(%0) : f32[3]
  return %2, %3
}
)");
  EXPECT_EQ(graph.num_values(), 4);
}

TEST(Graph, ReplacesManyValuesAtOnceAndFollowsChains) {
  Graph graph;
  const Value x = graph.add_input("x", kVector);
  const Value s = graph.add_state("s", kVector);
  const Value a = graph.call("exp", {x});
  const Value b = graph.call("sin", {a});
  graph.set_next(s, b);
  graph.add_output(b);
  std::vector<Value> replacements(static_cast<size_t>(graph.num_values()));
  replacements[static_cast<size_t>(b.id)] = a;
  replacements[static_cast<size_t>(a.id)] = x;
  graph.replace_uses(replacements);
  EXPECT_EQ(graph.outputs()[0], x);
  EXPECT_EQ(graph.states()[0].next, x);
  EXPECT_EQ(graph.use_counts(), (std::vector<int32_t>{4, 0, 0, 0}));
}

TEST(Graph, ExpandKeepsTheIdsOfResults) {
  Graph graph;
  const Value x = graph.add_input("x", {DType::Float32, {2, 3}});
  graph.set_label("probabilities");
  const Value y = graph.call("softmax", {x});
  graph.set_label({});
  const Value z = graph.call("exp", {y});
  graph.add_output(z);
  graph.add_output(y);
  graph.expand([](const Node& node) { return node.op->name == "softmax"; });
  verify(graph, "expand");
  EXPECT_EQ(graph.outputs()[0], z);
  EXPECT_EQ(graph.outputs()[1], y);
  ASSERT_NE(graph.producer(y), nullptr);
  EXPECT_NE(graph.producer(y)->op->name, "softmax");
  EXPECT_EQ(graph.producer(y)->label, "probabilities");
  EXPECT_EQ(graph.producer(z)->op->name, "exp");
}

TEST(Verifier, FindsWhatIsWrong) {
  const auto build = [] {
    return parse_graph(R"(graph g {
      %0 = input "x" : f32[3]
      %1 = exp(%0)
      %2 = sum(%1)
      return %2
    })");
  };
  verify(build(), "building");

  Graph order = build();
  std::swap(order.mutable_nodes()[0], order.mutable_nodes()[1]);
  expect_error<InternalError>("[sum] invalid graph 'g' after shuffle: %1 is read before",
                              [&] { verify(order, "shuffle"); });

  Graph attrs = build();
  attrs.mutable_nodes()[1].attrs = {};
  expect_error<InternalError>("attribute 'axes' is not resolved", [&] { verify(attrs, "x"); });

  Graph types = build();
  types.mutable_nodes()[1].attrs.set("keepdims", true);
  expect_error<InternalError>("%2 is f32[], infer gives f32[1]", [&] { verify(types, "x"); });

  Graph erased = build();
  erased.mutable_nodes()[1].op = nullptr;
  expect_error<InternalError>("it was erased", [&] { verify(erased, "x"); });

  Graph twice = build();
  twice.mutable_nodes()[1].outputs = twice.nodes()[0].outputs;
  expect_error<InternalError>("%1 is defined twice", [&] { verify(twice, "x"); });
}

}  // namespace
}  // namespace addax
