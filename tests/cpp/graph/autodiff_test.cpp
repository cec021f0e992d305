#include "graph/autodiff.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "core/error.h"
#include "graph/interpreter.h"
#include "graph/text.h"
#include "graph/verifier.h"
#include "ops/registry.h"

namespace addax {
namespace {

using testing::Data;
using testing::Interpreter;

Data numbers(const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> distribution(0.2, 1.5);
  Data data;
  for (int64_t i = 0; i < shape.num_elements(); ++i) data.push_back(distribution(random));
  return data;
}

// Compares gradients with central differences, in double precision.
void check_gradients(const std::vector<Shape>& shapes,
                     const std::function<Value(Graph&, const std::vector<Value>&)>& build) {
  Graph graph;
  std::vector<Value> inputs;
  std::vector<Data> data;
  for (const Shape& shape : shapes) {
    inputs.push_back(graph.add_input("x" + std::to_string(inputs.size()), {DType::Float64, shape}));
    data.push_back(numbers(shape, static_cast<unsigned>(inputs.size())));
  }
  const Value loss = build(graph, inputs);
  graph.add_output(loss);
  for (Value gradient : gradients(graph, loss, inputs)) graph.add_output(gradient);
  // What the interpreter does not know becomes what it does know.
  graph.expand([](const Node& node) { return node.op->op_class == OpClass::Composite; });
  graph.compact();
  verify(graph, "gradients");

  Interpreter interpreter(graph);
  interpreter.run(data, {});
  const std::vector<Data> results = interpreter.outputs();
  for (size_t k = 0; k < inputs.size(); ++k) {
    for (size_t i = 0; i < data[k].size(); ++i) {
      constexpr double kStep = 1e-5;
      std::vector<Data> moved = data;
      moved[k][i] += kStep;
      interpreter.run(moved, {});
      const double up = interpreter.outputs()[0][0];
      moved[k][i] -= 2 * kStep;
      interpreter.run(moved, {});
      const double down = interpreter.outputs()[0][0];
      // The truncation error is of order step^2, the rounding error of order 1e-16 / step, both
      // in proportion to the function.
      const double numeric = (up - down) / (2 * kStep);
      EXPECT_NEAR(results[1 + k][i], numeric, 1e-8 * (10 + std::fabs(numeric))) << to_text(graph);
    }
  }
}

TEST(Autodiff, DenseLayerWithBiasAndActivation) {
  check_gradients({{4, 3}, {3, 2}, {2}}, [](Graph& g, const std::vector<Value>& x) {
    const Value y = g.call("tanh", {g.add(g.call("matmul", {x[0], x[1]}), x[2])});
    return g.call("sum", {g.multiply(y, y)});
  });
}

TEST(Autodiff, ValuesUsedSeveralTimesAccumulate) {
  check_gradients({{3}}, [](Graph& g, const std::vector<Value>& x) {
    const Value a = g.multiply(x[0], x[0]);
    return g.call("sum", {g.add(g.multiply(a, a), g.add(a, x[0]))});
  });
}

TEST(Autodiff, CompositesWithoutGradientGoThroughTheirDecomposition) {
  check_gradients({{3, 4}}, [](Graph& g, const std::vector<Value>& x) {
    const Value y = g.call("logsumexp", {x[0]}, {{"axes", Ints{1}}});
    return g.call("sum", {g.multiply(y, y)});
  });
  check_gradients({{3, 4}}, [](Graph& g, const std::vector<Value>& x) {
    return g.call("mean", {g.multiply(g.call("softmax", {x[0]}), x[0])});
  });
}

TEST(Autodiff, CompositesAreExpandedForTheirLaterOutputsToo) {
  Graph graph;
  std::vector<Value> inputs = {graph.scalar(0.1, DType::Float32), graph.scalar(0, DType::Int64)};
  for (const char* name : {"parameter", "gradient", "m", "v"}) {
    inputs.push_back(graph.add_input(name, {DType::Float64, {2}}));
  }
  const std::vector<Value> next = graph.call_all("adam", inputs);
  const Value loss = graph.call("sum", {next[1]});
  const std::vector<Value> wrt = {inputs[3]};
  graph.add_output(gradients(graph, loss, wrt)[0]);
  graph.compact();
  verify(graph, "gradients");
  Interpreter interpreter(graph);
  interpreter.run({{1, 2}, {3, 4}, {5, 6}, {7, 8}}, {});
  const std::vector<Data> results = interpreter.outputs();
  for (double value : results[0]) EXPECT_NEAR(value, 1 - 0.9, 1e-15);
}

TEST(Autodiff, BroadcastingSumsTheGradient) {
  check_gradients({{2, 1, 3}, {4, 1}}, [](Graph& g, const std::vector<Value>& x) {
    return g.call("sum", {g.call("exp", {g.multiply(x[0], x[1])})});
  });
}

TEST(Autodiff, MovesThroughTransposeReshapeAndReductions) {
  check_gradients({{2, 3}}, [](Graph& g, const std::vector<Value>& x) {
    const Value t = g.reshape(g.transpose(x[0], {1, 0}), {6});
    const Value m = g.call("max", {t});
    return g.add(m, g.call("prod", {g.reshape(t, {2, 3})}));
  });
}

TEST(Autodiff, SecondDerivatives) {
  check_gradients({{3}}, [](Graph& g, const std::vector<Value>& x) {
    const Value loss = g.call("sum", {g.call("exp", {g.multiply(x[0], x[0])})});
    const Value first = gradients(g, loss, x)[0];
    return g.call("sum", {g.multiply(first, first)});
  });
}

TEST(Autodiff, GradientOfAValueInTheMiddle) {
  Graph graph;
  const Value x = graph.add_input("x", {DType::Float64, {2}});
  const Value a = graph.multiply(x, x);
  const Value loss = graph.call("sum", {graph.multiply(a, a)});
  const std::vector<Value> wrt = {a, x, loss, a};
  for (Value gradient : gradients(graph, loss, wrt)) graph.add_output(gradient);
  Interpreter interpreter(graph);
  interpreter.run({{2, 3}}, {});
  EXPECT_EQ(interpreter.outputs(), (std::vector<Data>{{8, 18}, {32, 108}, {1}, {8, 18}}));
}

TEST(Autodiff, NothingFlowsThroughIntegersOrStopGradient) {
  Graph graph;
  const Value x = graph.add_input("x", {DType::Float32, {2}});
  const Value y = graph.add_input("y", {DType::Float32, {2}});
  const Value whole = graph.cast(graph.cast(x, DType::Int32), DType::Float32);
  const Value stopped = graph.call("stop_gradient", {x});
  const Value loss =
      graph.call("sum", {graph.multiply(graph.add(whole, stopped), graph.multiply(x, x))});
  const std::vector<Value> wrt = {x, y};
  for (Value gradient : gradients(graph, loss, wrt)) graph.add_output(gradient);
  Interpreter interpreter(graph);
  interpreter.run({{1.5, 2.5}, {7, 7}}, {});
  EXPECT_EQ(interpreter.outputs(), (std::vector<Data>{{2 * 1.5 * 2.5, 2 * 2.5 * 4.5}, {0, 0}}));
}

TEST(Autodiff, HandlesHeldOutsideStayValidWhenNodesAreExpanded) {
  Graph graph;
  const Value x = graph.add_input("x", {DType::Float64, {3}});
  const Value y = graph.call("logsumexp", {x});
  const std::vector<Value> wrt = {x};
  const Value dx = gradients(graph, y, wrt)[0];
  graph.add_output(graph.add(dx, y));
  graph.expand([](const Node& node) { return node.op->op_class == OpClass::Composite; });
  graph.compact();
  verify(graph, "expand");
  Interpreter interpreter(graph);
  interpreter.run({{0, 0, 0}}, {});
  const std::vector<Data> results = interpreter.outputs();
  for (double value : results[0]) EXPECT_NEAR(value, std::log(3) + 1.0 / 3, 1e-15);
}

TEST(Autodiff, EmitsOnlyWhatTheGradientsNeed) {
  Graph graph;
  const Value x = graph.add_input("x", {DType::Float32, {2}});
  const Value y = graph.add_input("y", {DType::Float32, {2}});
  graph.call("exp", {y});
  const Value loss = graph.call("sum", {x});
  const std::vector<Value> wrt = {x};
  const size_t before = graph.nodes().size();
  gradients(graph, loss, wrt);
  // The seed and its broadcast; a reshape may stand between.
  EXPECT_LE(graph.nodes().size() - before, 3u);
}

TEST(Autodiff, BackwardNodesCarryTheLayersLabel) {
  Graph graph;
  const Value x = graph.add_input("x", {DType::Float32, {2}});
  graph.set_label("layer");
  const Value loss = graph.call("sum", {graph.call("exp", {x})});
  graph.set_label("outside");
  const std::vector<Value> wrt = {x};
  const Value gradient = gradients(graph, loss, wrt)[0];
  EXPECT_EQ(graph.producer(gradient)->label, "layer");
  EXPECT_EQ(graph.label(), "outside");
}

TEST(Autodiff, RejectsWhatHasNoGradient) {
  Graph graph;
  const Value x = graph.add_input("x", {DType::Float32, {2}});
  const Value n = graph.add_input("n", {DType::Int32, {}});
  const Value loss = graph.call("sum", {x});
  const std::vector<Value> wrt = {x};
  const std::vector<Value> integers = {n};
  EXPECT_THROW(gradients(graph, x, wrt), ShapeError);
  EXPECT_THROW(gradients(graph, n, wrt), DTypeError);
  EXPECT_THROW(gradients(graph, loss, integers), DTypeError);
  EXPECT_THROW(gradients(graph, Value(), wrt), InvalidArgumentError);
}

}  // namespace
}  // namespace addax
