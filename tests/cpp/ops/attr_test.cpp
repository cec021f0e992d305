#include "ops/attr.h"

#include <gtest/gtest.h>

#include <limits>

#include "ops/registry.h"

namespace addax {
namespace {

TensorType f32(Shape shape) { return {DType::Float32, shape}; }

Attrs resolve(std::string_view op, Attrs attrs, const std::vector<TensorType>& inputs) {
  return resolve_attrs(OpRegistry::instance().at(op), std::move(attrs), inputs);
}

template <typename E>
std::string message_of(std::string_view op, Attrs attrs, const std::vector<TensorType>& inputs) {
  try {
    resolve(op, std::move(attrs), inputs);
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "[" << op << "] took " << attrs.to_string();
  return {};
}

TEST(Attrs, PrintInOrderOfNames) {
  EXPECT_EQ(Attrs().to_string(), "");
  const Attrs attrs = {
      {"keepdims", true}, {"axes", Ints{0, 1}},       {"rate", 0.5},           {"one", 1.0},
      {"n", int64_t{-3}}, {"dtype", DType::BFloat16}, {"text", "a \"b\"\n\\"}, {"none", Ints()},
      {"tiny", 1e-20}};
  EXPECT_EQ(attrs.to_string(),
            "{axes=[0,1], dtype=bf16, keepdims=true, n=-3, none=[], one=1.0, rate=0.5, "
            "text=\"a \\\"b\\\"\\n\\\\\", tiny=1e-20}");
}

TEST(Attrs, LiteralsCompareAndPrintByContent) {
  const auto literal = [](std::vector<double> values, DType dtype) {
    const Shape shape = {static_cast<int64_t>(values.size())};
    return Attrs(
        {{"value", std::make_shared<const Literal>(make_literal({dtype, shape}, values))}});
  };
  EXPECT_EQ(literal({1, 2.5}, DType::Float32), literal({1, 2.5}, DType::Float32));
  EXPECT_NE(literal({1, 2.5}, DType::Float32), literal({1, 2}, DType::Float32));
  EXPECT_NE(literal({1, 2}, DType::Float32), literal({1, 2}, DType::Float64));
  EXPECT_EQ(literal({1, 2.5}, DType::Float16).to_string(), "{value=f16[2]:(1.0,2.5)}");
  EXPECT_EQ(literal({9e15, 1}, DType::Int64).to_string(), "{value=i64[2]:(9000000000000000,1)}");
  EXPECT_NE(literal({1, 1, 1, 1, 1, 1, 1, 1, 1}, DType::Float32).to_string(),
            literal({1, 1, 1, 1, 1, 1, 1, 1, 2}, DType::Float32).to_string());
}

TEST(Attrs, LiteralsRoundAndSaturate) {
  const double inf = std::numeric_limits<double>::infinity();
  const auto stored = [](double value, DType dtype) {
    return element(scalar_literal(value, dtype), 0);
  };
  EXPECT_EQ(stored(-inf, DType::Int8), -128);
  EXPECT_EQ(stored(inf, DType::UInt8), 255);
  EXPECT_EQ(stored(-1, DType::UInt8), 0);
  EXPECT_EQ(stored(-2.9, DType::Int32), -2);
  EXPECT_EQ(stored(-inf, DType::Int64), -0x1p63);
  EXPECT_EQ(stored(0.25, DType::Bool), 1);
  EXPECT_EQ(stored(0.1, DType::Float32), 0.1f);
  EXPECT_EQ(stored(1 + 0x1p-9, DType::BFloat16), 1);
  EXPECT_EQ(stored(-inf, DType::Float16), -inf);
}

TEST(ResolveAttrs, FillsInDefaults) {
  EXPECT_EQ(resolve("sum", {}, {f32({2, 3})}), Attrs({{"axes", Ints{0, 1}}, {"keepdims", false}}));
  EXPECT_EQ(resolve("elu", {}, {f32({2})}), Attrs({{"alpha", 1.0}}));
  EXPECT_EQ(resolve("slice", {{"begin", Ints{0}}, {"end", Ints{1}}}, {f32({2})}).ints("strides"),
            Ints{1});
  EXPECT_EQ(resolve("take", {}, {f32({2}), {DType::Int32, {}}}).dtype("dtype"), DType::Float32);
  EXPECT_EQ(resolve("max_pool2d", {{"pool_size", Ints{2, 3}}}, {f32({1, 4, 6, 1})}).ints("strides"),
            (Ints{2, 3}));
  EXPECT_EQ(resolve("transpose", {}, {f32({2, 3, 4})}).ints("permutation"), (Ints{2, 1, 0}));
}

TEST(ResolveAttrs, CountsAxesFromTheEnd) {
  EXPECT_EQ(resolve("sum", {{"axes", Ints{-1, 0}}}, {f32({2, 3})}).ints("axes"), (Ints{0, 1}));
  EXPECT_EQ(resolve("sum", {{"axes", int64_t{-1}}}, {f32({2, 3})}).ints("axes"), Ints{1});
  EXPECT_EQ(resolve("sum", {{"axes", Ints()}}, {f32({2, 3})}).ints("axes"), Ints());
  EXPECT_EQ(resolve("softmax", {}, {f32({2, 3})}).integer("axis"), 1);
  EXPECT_EQ(
      resolve("transpose", {{"permutation", Ints{0, -1, 1}}}, {f32({2, 3, 4})}).ints("permutation"),
      (Ints{0, 2, 1}));
}

TEST(ResolveAttrs, IsIdempotent) {
  const Attrs once = resolve("argmax", {{"axis", int64_t{-1}}}, {f32({2, 3})});
  EXPECT_EQ(resolve("argmax", once, {f32({2, 3})}), once);
}

TEST(ResolveAttrs, ConvertsWhatIsMeant) {
  EXPECT_EQ(resolve("elu", {{"alpha", int64_t{2}}}, {f32({2})}), Attrs({{"alpha", 2.0}}));
  EXPECT_EQ(resolve("cast", {{"dtype", "float16"}}, {f32({2})}).dtype("dtype"), DType::Float16);
  EXPECT_EQ(resolve("reshape", {{"shape", int64_t{-1}}}, {f32({2, 3})}).ints("shape"), Ints{6});
  EXPECT_EQ(resolve("reshape", {{"shape", Ints{3, -1}}}, {f32({2, 3})}).ints("shape"),
            (Ints{3, 2}));
  EXPECT_EQ(resolve("reshape", {{"shape", Ints{-1, 3}}}, {f32({0, 3})}).ints("shape"),
            (Ints{0, 3}));
}

TEST(ResolveAttrs, ExplainsWhatIsWrong) {
  const std::vector<TensorType> x = {f32({2, 3})};
  EXPECT_EQ(message_of<InvalidArgumentError>("sum", {{"axis", int64_t{0}}}, x),
            "[sum] unknown attribute 'axis'; did you mean 'axes'?");
  EXPECT_EQ(message_of<InvalidArgumentError>("sum", {{"dimension", int64_t{0}}}, x),
            "[sum] unknown attribute 'dimension'; it has axes, keepdims");
  EXPECT_EQ(message_of<InvalidArgumentError>("exp", {{"base", 2.0}}, x),
            "[exp] unknown attribute 'base'; it has none");
  EXPECT_EQ(message_of<InvalidArgumentError>("clip", {{"x_min", 0.0}}, x),
            "[clip] needs the attribute 'x_max' (Float): Greatest value of the result.");
  EXPECT_EQ(message_of<InvalidArgumentError>("sum", {{"axes", int64_t{2}}}, x),
            "[sum] axes 2 is out of range for shape (2, 3); give an axis in [-2, 2)");
  EXPECT_EQ(message_of<InvalidArgumentError>("sum", {{"axes", Ints{1, -1}}}, x),
            "[sum] axes name axis 1 twice");
  EXPECT_EQ(message_of<InvalidArgumentError>("sum", {{"keepdims", int64_t{1}}}, x),
            "[sum] attribute 'keepdims' must be of kind Bool, got 1");
  EXPECT_EQ(message_of<InvalidArgumentError>("cast", {{"dtype", "flaot32"}}, x),
            "[cast] unknown dtype 'flaot32'; did you mean 'float32'?");
  EXPECT_EQ(message_of<InvalidArgumentError>("concatenate", {}, {}),
            "[concatenate] needs at least one input");
  for (const Ints& shape : {Ints{4, -1}, Ints{-1, -1}, Ints{0, -1}, Ints{-2, -1}}) {
    const std::string message = message_of<ShapeError>("reshape", {{"shape", shape}}, x);
    EXPECT_EQ(message.rfind("[reshape] cannot fit (2, 3) (6 elements) into shape (", 0), 0u)
        << message;
  }
}

}  // namespace
}  // namespace addax
