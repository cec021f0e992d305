#include <gtest/gtest.h>

#include "ops/registry.h"

namespace addax {
namespace {

TensorType f32(Shape shape) { return {DType::Float32, shape}; }
TensorType f16(Shape shape) { return {DType::Float16, shape}; }
TensorType i32(Shape shape) { return {DType::Int32, shape}; }
TensorType i64(Shape shape) { return {DType::Int64, shape}; }
TensorType u8(Shape shape) { return {DType::UInt8, shape}; }
TensorType b1(Shape shape) { return {DType::Bool, shape}; }

std::vector<TensorType> infer(std::string_view name, const Attrs& attrs,
                              const std::vector<TensorType>& inputs) {
  const OpDef& op = OpRegistry::instance().at(name);
  return infer_types(op, resolve_attrs(op, attrs, inputs), inputs);
}

std::string text(const std::vector<TensorType>& types) {
  std::string result;
  for (const TensorType& type : types) result += (result.empty() ? "" : " ") + type.to_string();
  return result;
}

struct Good {
  std::string op;
  Attrs attrs;
  std::vector<TensorType> inputs;
  std::string outputs;
};

TEST(Infer, GivesShapesAndDtypes) {
  const std::vector<Good> cases = {
      {"add", {}, {f32({2, 3}), f32({3})}, "f32[2,3]"},
      {"add", {}, {i64({2, 1}), i64({1, 0})}, "i64[2,0]"},
      {"multiply", {}, {b1({2}), b1({})}, "b1[2]"},
      {"divide", {}, {f16({2}), f16({2})}, "f16[2]"},
      {"less", {}, {u8({2}), u8({1})}, "b1[2]"},
      {"equal", {}, {b1({2}), b1({2})}, "b1[2]"},
      {"logical_xor", {}, {b1({2}), b1({2})}, "b1[2]"},
      {"isnan", {}, {f16({3})}, "b1[3]"},
      {"where", {}, {b1({2, 1}), i32({3}), i32({})}, "i32[2,3]"},
      {"relu", {}, {i32({4})}, "i32[4]"},
      {"clip", {{"x_min", 0.0}, {"x_max", 3.0}}, {i32({4})}, "i32[4]"},
      {"cast", {{"dtype", DType::UInt8}}, {f32({4})}, "u8[4]"},
      {"sum", {}, {b1({2, 3})}, "i32[]"},
      {"sum", {{"axes", Ints{0}}}, {u8({2, 3})}, "i32[3]"},
      {"sum", {{"axes", Ints{0}}}, {i64({0, 3})}, "i64[3]"},
      {"sum", {{"axes", Ints()}}, {f32({2, 3})}, "f32[2,3]"},
      {"max", {{"axes", Ints{1}}, {"keepdims", true}}, {u8({2, 3})}, "u8[2,1]"},
      {"max", {{"axes", Ints{1}}}, {f32({0, 3})}, "f32[0]"},
      {"any", {}, {b1({2, 0})}, "b1[]"},
      {"argmax", {{"axis", int64_t{-1}}}, {f32({2, 3})}, "i32[2]"},
      {"mean", {{"axes", Ints{0}}}, {f16({2, 3})}, "f16[3]"},
      {"argsort", {{"axis", int64_t{0}}}, {u8({2, 3})}, "i32[2,3]"},
      {"sort", {}, {f16({2, 0})}, "f16[2,0]"},
      {"top_k", {{"k", int64_t{2}}}, {f16({2, 3})}, "f16[2,2] i32[2,2]"},
      {"in_top_k", {{"k", int64_t{3}}}, {i64({2}), f32({2, 3})}, "b1[2]"},
      {"matmul", {}, {f32({2, 3}), f32({3, 4})}, "f32[2,4]"},
      {"matmul",
       {{"transpose_a", true}, {"transpose_b", true}},
       {f32({3, 2}), f32({4, 3})},
       "f32[2,4]"},
      {"matmul", {}, {i32({5, 1, 2, 3}), i32({6, 3, 4})}, "i32[5,6,2,4]"},
      {"matmul", {}, {f32({2, 0}), f32({0, 4})}, "f32[2,4]"},
      {"matmul_epilogue",
       {{"epilogue", "i0 + i1"}},
       {f32({2, 3}), f32({3, 4}), f32({4})},
       "f32[2,4]"},
      {"matmul_epilogue", {{"epilogue", "-i0"}}, {f32({2, 3}), f32({3, 4})}, "f32[2,4]"},
      {"conv2d", {}, {f32({1, 5, 6, 3}), f32({3, 3, 3, 8})}, "f32[1,3,4,8]"},
      {"conv2d",
       {{"strides", Ints{2, 2}}, {"padding", Ints{1, 1, 1, 1}}},
       {f32({1, 5, 6, 3}), f32({3, 3, 3, 8})},
       "f32[1,3,3,8]"},
      {"max_pool2d", {{"pool_size", Ints{2, 2}}}, {u8({1, 5, 6, 3})}, "u8[1,2,3,3]"},
      {"max_pool2d_argmax",
       {{"pool_size", Ints{2, 2}}},
       {f16({1, 5, 6, 3})},
       "f16[1,2,3,3] u8[1,2,3,3]"},
      {"max_pool2d_argmax_grad",
       {{"pool_size", Ints{2, 2}}, {"input_shape", Ints{1, 5, 6, 3}}},
       {f32({1, 2, 3, 3}), u8({1, 2, 3, 3})},
       "f32[1,5,6,3]"},
      {"batch_moments", {}, {f16({4, 2, 3})}, "f32[3] f32[3]"},
      {"batch_norm_train", {}, {f32({4, 3}), f32({3}), f32({3})}, "f32[4,3] f32[3] f32[3]"},
      {"sparse_softmax_cross_entropy", {}, {f32({4, 10}), i64({4})}, "f32[4]"},
      {"softmax_cross_entropy", {}, {f32({4, 10}), f32({4, 10})}, "f32[4]"},
      {"reshape", {{"shape", Ints{3, -1}}}, {f32({2, 3})}, "f32[3,2]"},
      {"reshape", {{"shape", Ints()}}, {f32({1, 1})}, "f32[]"},
      {"transpose", {}, {f32({2, 3, 4})}, "f32[4,3,2]"},
      {"transpose", {{"permutation", Ints{1, 2, 0}}}, {f32({2, 3, 4})}, "f32[3,4,2]"},
      {"broadcast_to", {{"shape", Ints{4, 2, 3}}}, {f32({2, 1})}, "f32[4,2,3]"},
      {"concatenate", {{"axis", int64_t{-1}}}, {f32({2, 1}), f32({2, 3})}, "f32[2,4]"},
      {"slice",
       {{"begin", Ints{1, 0}}, {"end", Ints{6, 2}}, {"strides", Ints{2, 1}}},
       {f32({6, 2})},
       "f32[3,2]"},
      {"pad",
       {{"low", Ints{-1}}, {"high", Ints{2}}, {"interior", Ints{1}}},
       {f32({3}), f32({})},
       "f32[6]"},
      {"take",
       {{"axis", int64_t{1}}, {"dtype", DType::Float32}},
       {u8({2, 5, 3}), i32({4, 4})},
       "f32[2,4,4,3]"},
      {"scatter_add",
       {{"shape", Ints{2, 5}}, {"axis", int64_t{1}}},
       {i32({3}), f32({2, 3})},
       "f32[2,5]"},
      {"one_hot", {{"num_classes", int64_t{10}}}, {i32({4})}, "f32[4,10]"},
      {"iota",
       {{"shape", Ints{2, 3}}, {"axis", int64_t{1}}, {"dtype", DType::Int8}},
       {},
       "i8[2,3]"},
      {"random_normal",
       {{"shape", Ints{3}}, {"dtype", DType::Float64}},
       {i64({2})},
       "f64[3] i64[2]"},
      {"dropout", {{"rate", 0.5}}, {f16({3}), i64({2})}, "f16[3] i64[2]"},
      {"batch_indices",
       {{"n", int64_t{10}}, {"batch", int64_t{4}}, {"shuffle", true}},
       {i64({}), i64({2})},
       "i64[4]"},
      {"sgd", {}, {f32({}), f32({2}), f32({3}), f32({2}), f32({3})}, "f32[2] f32[3]"},
      {"sgd", {{"momentum", 0.9}}, {f32({}), f32({2}), f32({2}), f32({2})}, "f32[2] f32[2]"},
      {"adam",
       {},
       {f32({}), i64({}), f32({2}), f32({2}), f32({2}), f32({2})},
       "f32[2] f32[2] f32[2]"},
  };
  for (const Good& good : cases) {
    EXPECT_EQ(text(infer(good.op, good.attrs, good.inputs)), good.outputs)
        << good.op << good.attrs.to_string();
  }
}

struct Bad {
  std::string op;
  Attrs attrs;
  std::vector<TensorType> inputs;
  ErrorCode code;
  std::string message;
};

TEST(Infer, ExplainsWhatDoesNotFit) {
  constexpr ErrorCode kShape = ErrorCode::Shape;
  constexpr ErrorCode kDType = ErrorCode::DType;
  constexpr ErrorCode kArgument = ErrorCode::InvalidArgument;
  const std::vector<Bad> cases = {
      {"add",
       {},
       {f32({2, 3}), f32({4})},
       kShape,
       "[add] shapes (2, 3) and (4,) do not broadcast; aligned at the right, each pair of extents "
       "must be equal or one of them 1: reshape or transpose an operand"},
      {"add",
       {},
       {f32({2}), i32({2})},
       kDType,
       "[add] x1 is float32 and x2 is int32; cast one of them"},
      {"add",
       {},
       {b1({2}), b1({2})},
       kDType,
       "[add] x1 is bool; use the logical ops, or cast it to int32"},
      {"add", {}, {f32({2})}, kArgument, "[add] takes 2 inputs (x1, x2), got 1"},
      {"exp",
       {},
       {i32({2})},
       kDType,
       "[exp] x must be floating, got int32; cast it to float32 first"},
      {"isnan",
       {},
       {i32({2})},
       kDType,
       "[isnan] x must be floating, got int32; cast it to float32 first"},
      {"logical_not",
       {},
       {f32({2})},
       kDType,
       "[logical_not] x must be bool, got float32; compare it with 0 first"},
      {"where",
       {},
       {f32({2}), f32({2}), f32({2})},
       kDType,
       "[where] condition must be bool, got float32; compare it with 0 first"},
      {"clip",
       {{"x_min", 0.5}, {"x_max", 2.0}},
       {i32({2})},
       kArgument,
       "[clip] x_min is 0.5 but x is int32; give an integer, or cast x to float32"},
      {"max",
       {{"axes", Ints{0}}},
       {f32({0, 3})},
       kShape,
       "[max] has no value over the empty axes (0,) of shape (0, 3); check for emptiness first"},
      {"argmin",
       {{"axis", int64_t{0}}},
       {f32({0})},
       kShape,
       "[argmin] has no value over the empty axis 0 of shape (0,); check for emptiness first"},
      {"mean",
       {},
       {i32({2})},
       kDType,
       "[mean] x must be floating, got int32; cast it to float32 first"},
      {"matmul",
       {},
       {f32({2, 3}), f32({4, 5})},
       kShape,
       "[matmul] inner extents differ: (2, 3) x (4, 5); the 3 columns of a need as many rows of b, "
       "b has 4"},
      {"matmul",
       {{"transpose_b", true}},
       {f32({2, 3}), f32({3, 5})},
       kShape,
       "[matmul] inner extents differ: (2, 3) x (3, 5) transposed; the 3 columns of a need as many "
       "rows of b, b has 5"},
      {"matmul",
       {},
       {f32({3}), f32({3, 5})},
       kShape,
       "[matmul] a must have at least 2 dimensions, got shape (3,); reshape it first"},
      {"matmul",
       {},
       {f32({2, 4, 3}), f32({5, 3, 4})},
       kShape,
       "[matmul] batch extents of (2, 4, 3) and (5, 3, 4) do not broadcast; reshape or transpose "
       "an operand"},
      {"matmul_epilogue",
       {{"epilogue", "i0 + i1"}},
       {f32({2, 3}), f32({3, 4}), f32({3})},
       kShape,
       "[matmul_epilogue] extras[0] of shape (3,) does not broadcast to the result's shape (2, 4)"},
      {"matmul_epilogue",
       {{"epilogue", "i0, i0"}},
       {f32({2, 3}), f32({3, 4})},
       kArgument,
       "[matmul_epilogue] an epilogue has exactly one output"},
      {"conv2d",
       {},
       {f32({1, 5, 5, 3}), f32({3, 3, 4, 8})},
       kShape,
       "[conv2d] the input of shape (1, 5, 5, 3) has 3 channels, the filter of shape (3, 3, 4, 8) "
       "with groups 1 takes 4"},
      {"conv2d",
       {},
       {f32({5, 5, 3}), f32({3, 3, 3, 8})},
       kShape,
       "[conv2d] takes an input of shape (N, H, W, C) and a filter of shape (height, width, C / "
       "groups, outputs), got (5, 5, 3) and (3, 3, 3, 8)"},
      {"conv2d",
       {},
       {f32({1, 2, 5, 3}), f32({3, 3, 3, 8})},
       kShape,
       "[conv2d] a window of (3, 3) with dilations (1, 1) does not fit into the input of shape (1, "
       "2, 5, 3) and its padding; make it smaller or pad more"},
      {"conv2d",
       {{"strides", Ints{0, 1}}},
       {f32({1, 5, 5, 3}), f32({3, 3, 3, 8})},
       kArgument,
       "[conv2d] strides must be 2 integers of at least 1, got (0, 1)"},
      {"conv2d",
       {{"groups", int64_t{3}}},
       {f32({1, 5, 5, 3}), f32({3, 3, 1, 8})},
       kArgument,
       "[conv2d] groups must divide the filter's 8 outputs, got 3"},
      {"max_pool2d",
       {{"pool_size", Ints{2, 2}}, {"padding", Ints{2, 0, 0, 0}}},
       {f32({1, 4, 4, 1})},
       kArgument,
       "[max_pool2d] padding (2, 0, 0, 0) must be smaller than pool_size (2, 2), or some windows "
       "hold padding only"},
      {"softmax",
       {},
       {f32({2, 0})},
       kShape,
       "[softmax] has no value over the empty axis 1 of shape (2, 0); check for emptiness first"},
      {"batch_norm_train",
       {},
       {f32({4, 3}), f32({4}), f32({4})},
       kShape,
       "[batch_norm_train] gamma must have shape (3,), got (4,)"},
      {"sparse_softmax_cross_entropy",
       {},
       {f32({4, 10}), i32({4, 1})},
       kShape,
       "[sparse_softmax_cross_entropy] labels of shape (4, 1) do not fit logits of shape (4, 10), "
       "which need labels of shape (4,); one-hot targets belong to softmax_cross_entropy"},
      {"sparse_softmax_cross_entropy",
       {},
       {f32({4, 10}), f32({4})},
       kDType,
       "[sparse_softmax_cross_entropy] labels must be of an integer dtype, got float32; cast it to "
       "int32 first"},
      {"softmax_cross_entropy",
       {},
       {f32({4, 10}), f32({4})},
       kShape,
       "[softmax_cross_entropy] logits of shape (4, 10) and targets of shape (4,) must have the "
       "same shape, with at least one class; labels as integers belong to "
       "sparse_softmax_cross_entropy"},
      {"reshape",
       {{"shape", Ints{4}}},
       {f32({2, 3})},
       kShape,
       "[reshape] cannot fit (2, 3) (6 elements) into (4,) (4); give one extent as -1 to have it "
       "computed"},
      {"reshape",
       {{"shape", Ints{-2, 3}}},
       {f32({2, 3})},
       kShape,
       "[reshape] shape: a dimension cannot be negative, got (-2, 3)"},
      {"transpose",
       {{"permutation", Ints{0, 0}}},
       {f32({2, 3})},
       kArgument,
       "[transpose] permutation (0, 0) must name each axis of (2, 3) once"},
      {"broadcast_to",
       {{"shape", Ints{2, 4}}},
       {f32({3})},
       kShape,
       "[broadcast_to] (3,) does not broadcast to (2, 4); aligned at the right, its extents must "
       "be "
       "equal to those or 1"},
      {"concatenate",
       {},
       {f32({2, 3}), f32({2, 4})},
       kShape,
       "[concatenate] shapes (2, 3) and (2, 4) differ outside of axis 0"},
      {"concatenate",
       {},
       {f32({2}), i32({2}), f32({2})},
       kDType,
       "[concatenate] xs[0] is float32 and xs[1] is int32; cast one of them"},
      {"slice",
       {{"begin", Ints{0}}, {"end", Ints{5}}},
       {f32({4})},
       kShape,
       "[slice] begin (0,) and end (5,) reach beyond shape (4,)"},
      {"pad",
       {{"low", Ints{-3}}, {"high", Ints{-2}}},
       {f32({4}), f32({})},
       kShape,
       "[pad] low (-3,) and high (-2,) crop more than shape (4,) has"},
      {"take",
       {},
       {f32({4}), f32({2})},
       kDType,
       "[take] indices must be of an integer dtype, got float32; cast it to int32 first"},
      {"scatter_add",
       {{"shape", Ints{4}}},
       {i32({3}), f32({2})},
       kShape,
       "[scatter_add] updates must have shape (3,), got (2,)"},
      {"one_hot",
       {{"num_classes", int64_t{0}}},
       {i32({3})},
       kArgument,
       "[one_hot] num_classes must be at least 1, got 0"},
      {"iota",
       {{"shape", Ints{3}}, {"dtype", DType::Bool}},
       {},
       kDType,
       "[iota] cannot count in bool"},
      {"random_uniform",
       {{"shape", Ints{3}}, {"dtype", DType::Int32}},
       {i64({2})},
       kDType,
       "[random_uniform] draws floating numbers, not int32; cast the result"},
      {"random_uniform",
       {{"shape", Ints{3}}},
       {i64({3})},
       kShape,
       "[random_uniform] state must have shape (2,), got (3,)"},
      {"dropout",
       {{"rate", 1.5}},
       {f32({3}), i64({2})},
       kArgument,
       "[dropout] rate must be between 0 and 1, got 1.5"},
      {"batch_indices",
       {{"n", int64_t{3}}, {"batch", int64_t{4}}, {"shuffle", false}},
       {i64({}), i64({2})},
       kArgument,
       "[batch_indices] batch must be between 1 and n, got batch 4 and n 3"},
      {"sgd",
       {},
       {f32({}), f32({2}), f32({3})},
       kShape,
       "[sgd] parameter 0 is f32[2] but its gradient is f32[3]; they must be equal"},
      {"sgd",
       {{"count", int64_t{1}}},
       {f32({}), f32({2}), f32({2}), f32({2})},
       kArgument,
       "[sgd] takes 1 scalars and 2 groups of 1 tensors, got 4 inputs"},
      {"adam",
       {},
       {f32({}), i64({}), f32({2}), f32({2}), f32({2}), f16({2})},
       kShape,
       "[adam] parameter 0 is f32[2] but its slot is f16[2]; they must be equal"},
      {"adam",
       {},
       {f32({}), i32({}), f32({2}), f32({2}), f32({2}), f32({2})},
       kDType,
       "[adam] step must be int64, got int32; cast it first"},
      {"fused",
       {{"expr", "i0, i0"}, {"shape", Ints{2}}, {"compute", DType::Float32}, {"dtypes", Ints{7}}},
       {f32({2})},
       kArgument,
       "[fused] the expression has 2 outputs, dtypes (7,) and reduce '' must say one thing for "
       "each"},
      {"fused",
       {{"expr", "i0"},
        {"shape", Ints{2, 3, 4}},
        {"compute", DType::Float32},
        {"dtypes", Ints{7}},
        {"reduce", "sum"},
        {"axes", Ints{1}}},
       {f32({4})},
       kArgument,
       "[fused] axes (1,) must be a leading or trailing run of the 3 axes of the domain"},
  };
  for (const Bad& bad : cases) {
    try {
      infer(bad.op, bad.attrs, bad.inputs);
      ADD_FAILURE() << bad.op << " took " << text(bad.inputs);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), bad.code) << error.what();
      EXPECT_EQ(error.what(), bad.message);
    }
  }
}

TEST(Infer, CountsFlops) {
  const auto flops = [](std::string_view name, const Attrs& attrs,
                        const std::vector<TensorType>& inputs) {
    const OpDef& op = OpRegistry::instance().at(name);
    return op.flops({op, resolve_attrs(op, attrs, inputs), inputs});
  };
  EXPECT_EQ(flops("matmul", {}, {f32({32, 784}), f32({784, 128})}), 2.0 * 32 * 784 * 128);
  EXPECT_EQ(
      flops("conv2d", {{"padding", Ints{1, 1, 1, 1}}}, {f32({2, 8, 8, 3}), f32({3, 3, 3, 16})}),
      2.0 * 2 * 8 * 8 * 16 * 27);
  EXPECT_EQ(flops("conv2d_filter_grad",
                  {{"padding", Ints{1, 1, 1, 1}}, {"filter_shape", Ints{3, 3, 3, 16}}},
                  {f32({2, 8, 8, 3}), f32({2, 8, 8, 16})}),
            2.0 * 2 * 8 * 8 * 16 * 27);
  EXPECT_EQ(flops("sigmoid", {}, {f32({10})}), 4 * 10);
  EXPECT_EQ(flops("add", {}, {f32({10, 1}), f32({3})}), 30);
  EXPECT_EQ(flops("sum", {}, {f32({10, 3})}), 30);
  EXPECT_EQ(flops("cast", {{"dtype", DType::Int8}}, {f32({10})}), 0);
  EXPECT_EQ(flops("matmul_epilogue", {{"epilogue", "maximum(i0 + i1, 0)"}},
                  {f32({2, 3}), f32({3, 4}), f32({4})}),
            2 * 2 * 3 * 4 + 2 * 2 * 4);
  EXPECT_EQ(flops("fused",
                  {{"expr", "exp(i0) + 1"},
                   {"shape", Ints{5, 2}},
                   {"compute", DType::Float32},
                   {"dtypes", Ints{7}}},
                  {f32({2})}),
            20);
}

}  // namespace
}  // namespace addax
