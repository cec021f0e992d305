// Products that an optimizer computes itself give the bits of those that it is handed.
#include <algorithm>
#include <cmath>

#include "cpu/device_fixture.h"
#include "cpu/gemm/gemm_kernels.h"

namespace addax::cpu::testing {
namespace {

// The node that computes a weight's gradient, and its operands.
struct Product {
  std::string op;
  DType dtype;
  Shape first, second, gradient;
  std::vector<Attr> attrs;
};

// Of a dense layer where the first operand is transposed.
Product matmul(int64_t rows, int64_t columns, int64_t steps, bool transposed = true) {
  const Shape first = transposed ? Shape{steps, rows} : Shape{rows, steps};
  return {"matmul",         DType::Float32,  first,
          {steps, columns}, {rows, columns}, {flag("transpose_a", transposed)}};
}

// Of a convolution of square images and kernels, padded as 'same' does for odd kernels.
Product convolution(DType dtype, int64_t batch, int64_t size, int64_t kernel, int64_t stride,
                    int64_t in_channels, int64_t out_channels) {
  const int64_t pad = kernel / 2;
  const int64_t out = (size + 2 * pad - kernel) / stride + 1;
  return {"conv2d_filter_grad",
          dtype,
          {batch, size, size, in_channels},
          {batch, out, out, out_channels},
          {kernel, kernel, in_channels, out_channels},
          {ints("strides", {stride, stride}), ints("padding", {pad, pad, pad, pad}),
           ints("dilations", {1, 1}), integer("groups", 1),
           ints("filter_shape", {kernel, kernel, in_channels, out_channels}),
           flag("wide", dtype == DType::BFloat16)}};
}

enum class Gradient {
  OnlyForTheOptimizer,
  AlsoAnOutput,
  OfAnOverwrittenOperand,  // between the product and the optimizer
};

struct Update {
  std::vector<Array> results;
  bool absorbed;
};

Update train(const std::string& op, const Product& product, Gradient gradient) {
  const Shape& parameter = product.gradient;
  const Shape bias{parameter.dims().back()};
  GraphBuilder builder;
  std::vector<int32_t> inputs = {builder.input(array(DType::Float32, {}, {0.01}))};
  if (op == "adam") inputs.push_back(builder.input(array(DType::Int64, {}, {2})));
  const int32_t a = builder.input(random_array(product.dtype, product.first, 1));
  const int32_t b = builder.input(random_array(product.dtype, product.second, 2));
  const int32_t computed = gradient == Gradient::AlsoAnOutput
                               ? builder.output(DType::Float32, parameter)
                               : builder.internal(DType::Float32, parameter);
  std::vector<int32_t> outputs;
  // Of a weight and a bias; not negative, as Adam's second moments are.
  const auto add_group = [&](uint32_t seed) {
    for (const Shape& shape : {parameter, bias}) {
      Array value = random_array(DType::Float32, shape, seed);
      for (double& v : value.values) v = std::abs(v);
      inputs.push_back(builder.input(value));
      outputs.push_back(builder.output_in_place(inputs.back()));
    }
  };
  add_group(4);
  inputs.push_back(computed);
  inputs.push_back(builder.input(random_array(DType::Float32, bias, 3)));
  add_group(5);
  if (op == "adam") add_group(6);

  builder.node(product.op, {a, b}, {computed}, product.attrs);
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
                                 [&](const Span& span) { return span.op == product.op; });
  return update;
}

void expect_same(const Update& actual, const Update& expected, bool bits) {
  for (size_t i = 0; i < expected.results.size(); ++i) {
    if (bits) {
      EXPECT_EQ(actual.results[i].values, expected.results[i].values) << i;
    } else {
      expect_close(actual.results[i], expected.results[i], 1e-4, 1e-5);
    }
  }
}

// Whether a product's bits depend on its number of rows: OpenBLAS may sum in another order, and
// tile registers do.
bool sums_depend_on_rows(Isa isa) { return isa == Isa::Portable || isa == Isa::Amx; }

class GradientProducts : public ::testing::TestWithParam<Isa> {
 protected:
  UseIsa isa_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, GradientProducts, ::testing::ValuesIn(levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST_P(GradientProducts, AreTheSameInsideOfTheOptimizer) {
  for (const std::string op : {"adam", "sgd"}) {
    for (const Product& product :
         {matmul(784, 128, 32), matmul(331, 101, 7), matmul(130, 256, 300),
          matmul(1000, 17, 1, false), convolution(DType::Float32, 21, 2, 1, 1, 150, 130),
          convolution(DType::Float32, 7, 4, 1, 2, 70, 600),
          convolution(DType::Float32, 3, 5, 3, 1, 10, 190),
          convolution(DType::Float32, 16, 1, 3, 1, 33, 70)}) {
      SCOPED_TRACE(op + " " + product.op + " " + product.gradient.to_string());
      const Update expected = train(op, product, Gradient::AlsoAnOutput);
      const Update actual = train(op, product, Gradient::OnlyForTheOptimizer);
      EXPECT_FALSE(expected.absorbed);
      EXPECT_TRUE(actual.absorbed);
      expect_same(actual, expected, !sums_depend_on_rows(GetParam()));
    }
  }
}

TEST_P(GradientProducts, OfBFloat16ImagesMakeTheirPairsFirst) {
  if (!has_bfloat16_kernels(GetParam())) {
    GTEST_SKIP() << name(GetParam()) << " widens bfloat16 to float32";
  }
  for (int64_t batch : {1, 16, 37}) {
    for (const Product& product : {convolution(DType::BFloat16, batch, 2, 1, 1, 70, 530),
                                   convolution(DType::BFloat16, batch, 2, 3, 2, 34, 66)}) {
      const Update expected = train("adam", product, Gradient::AlsoAnOutput);
      const Update actual = train("adam", product, Gradient::OnlyForTheOptimizer);
      EXPECT_FALSE(expected.absorbed);
      EXPECT_TRUE(actual.absorbed);
      expect_same(actual, expected, !sums_depend_on_rows(GetParam()));
    }
  }
}

TEST_P(GradientProducts, AreComputedInTimeWhenAnOperandIsOverwritten) {
  for (const Product& product :
       {matmul(784, 128, 32), convolution(DType::Float32, 16, 2, 1, 1, 150, 130)}) {
    const Update expected = train("adam", product, Gradient::AlsoAnOutput);
    const Update actual = train("adam", product, Gradient::OfAnOverwrittenOperand);
    EXPECT_FALSE(actual.absorbed);
    expect_same(actual, expected, true);
  }
}

TEST_P(GradientProducts, StayApartWhereTheyAreSmallOrDeep) {
  for (const Product& product :
       {matmul(64, 64, 8), matmul(300, 100, 513), convolution(DType::Float32, 8, 2, 1, 1, 64, 64),
        convolution(DType::Float32, 32, 16, 1, 1, 130, 130)}) {
    EXPECT_FALSE(train("adam", product, Gradient::OnlyForTheOptimizer).absorbed);
  }
}

}  // namespace
}  // namespace addax::cpu::testing
