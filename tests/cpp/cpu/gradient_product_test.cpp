// Products that an optimizer computes itself give the bits of those that it is handed.
#include <algorithm>
#include <cmath>

#include "cpu/device_fixture.h"

namespace addax::cpu::testing {
namespace {

struct Layer {
  int64_t rows, columns, steps;
  bool transposed;  // the first operand, as in a dense layer's gradient
};

enum class Gradient {
  OnlyForTheOptimizer,
  AlsoAnOutput,
  OfAnOverwrittenOperand,  // between the product and the optimizer
};

struct Update {
  std::vector<Array> results;
  bool absorbed;
};

Update train(const std::string& op, const Layer& layer, Gradient gradient) {
  const Shape parameter{layer.rows, layer.columns};
  const Shape first =
      layer.transposed ? Shape{layer.steps, layer.rows} : Shape{layer.rows, layer.steps};
  GraphBuilder builder;
  std::vector<int32_t> inputs = {builder.input(array(DType::Float32, {}, {0.01}))};
  if (op == "adam") inputs.push_back(builder.input(array(DType::Int64, {}, {2})));
  const int32_t a = builder.input(random_array(DType::Float32, first, 1));
  const int32_t b = builder.input(random_array(DType::Float32, {layer.steps, layer.columns}, 2));
  const int32_t product = gradient == Gradient::AlsoAnOutput
                              ? builder.output(DType::Float32, parameter)
                              : builder.internal(DType::Float32, parameter);
  std::vector<int32_t> outputs;
  // Of a weight and a bias; not negative, as Adam's second moments are.
  const auto add_group = [&](uint32_t seed) {
    for (const Shape& shape : {parameter, Shape{layer.columns}}) {
      Array value = random_array(DType::Float32, shape, seed);
      for (double& v : value.values) v = std::abs(v);
      inputs.push_back(builder.input(value));
      outputs.push_back(builder.output_in_place(inputs.back()));
    }
  };
  add_group(4);
  inputs.push_back(product);
  inputs.push_back(builder.input(random_array(DType::Float32, {layer.columns}, 3)));
  add_group(5);
  if (op == "adam") add_group(6);

  builder.node("matmul", {a, b}, {product}, {flag("transpose_a", layer.transposed)});
  if (gradient == Gradient::OfAnOverwrittenOperand) {
    builder.node("negative", {b}, {builder.output_in_place(b)});
  }
  builder.node(op, inputs, outputs,
               {number("beta_1", 0.9), number("beta_2", 0.999), number("momentum", 0.9),
                integer("count", 2)});
  set_tracing(true);
  spans().clear();
  builder.run();
  set_tracing(false);
  Update update;
  for (int32_t output : outputs) update.results.push_back(builder.value(output));
  update.absorbed = std::none_of(spans().begin(), spans().end(),
                                 [](const Span& span) { return span.op == "matmul"; });
  return update;
}

class GradientProducts : public ::testing::TestWithParam<Isa> {
 protected:
  UseIsa isa_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, GradientProducts, ::testing::ValuesIn(levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST_P(GradientProducts, AreTheSameInsideOfTheOptimizer) {
  for (const std::string op : {"adam", "sgd"}) {
    for (const Layer& layer : {Layer{784, 128, 32, true}, Layer{331, 101, 7, true},
                               Layer{130, 256, 300, true}, Layer{1000, 17, 1, false}}) {
      const Update expected = train(op, layer, Gradient::AlsoAnOutput);
      const Update actual = train(op, layer, Gradient::OnlyForTheOptimizer);
      EXPECT_FALSE(expected.absorbed);
      EXPECT_TRUE(actual.absorbed);
      for (size_t i = 0; i < expected.results.size(); ++i) {
        if (GetParam() == Isa::Portable) {
          // OpenBLAS may sum in another order for another number of rows.
          expect_close(actual.results[i], expected.results[i], 1e-4, 1e-5);
        } else {
          EXPECT_EQ(actual.results[i].values, expected.results[i].values) << op << " " << i;
        }
      }
    }
  }
}

TEST_P(GradientProducts, AreComputedInTimeWhenAnOperandIsOverwritten) {
  const Layer layer = {784, 128, 32, true};
  const Update expected = train("adam", layer, Gradient::AlsoAnOutput);
  const Update actual = train("adam", layer, Gradient::OfAnOverwrittenOperand);
  EXPECT_FALSE(actual.absorbed);
  for (size_t i = 0; i < expected.results.size(); ++i) {
    EXPECT_EQ(actual.results[i].values, expected.results[i].values);
  }
}

TEST_P(GradientProducts, StayApartWhereTheyAreSmallOrDeep) {
  EXPECT_FALSE(train("adam", {64, 64, 8, true}, Gradient::OnlyForTheOptimizer).absorbed);
  EXPECT_FALSE(train("adam", {300, 100, 513, true}, Gradient::OnlyForTheOptimizer).absorbed);
}

}  // namespace
}  // namespace addax::cpu::testing
