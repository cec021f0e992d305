#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "device/status.h"
#include "graph/graph.h"
#include "ops/registry.h"
#include "runtime/devices.h"
#include "runtime/flatten.h"
#include "runtime/program.h"

namespace addax {
namespace {

using testing::null_device;

// Two accounts of each op's contract, by the op's own `infer` and by the null device, must agree.
struct Case {
  std::string op;
  std::vector<TensorType> inputs;
  Attrs attrs = {};
};

TensorType f32(std::initializer_list<int64_t> dims) { return {DType::Float32, dims}; }
TensorType bf16(std::initializer_list<int64_t> dims) { return {DType::BFloat16, dims}; }
TensorType i32(std::initializer_list<int64_t> dims) { return {DType::Int32, dims}; }
TensorType i64(std::initializer_list<int64_t> dims) { return {DType::Int64, dims}; }
TensorType b1(std::initializer_list<int64_t> dims) { return {DType::Bool, dims}; }

const Attrs kConv = {{"strides", Ints{2, 1}},
                     {"padding", Ints{1, 0, 2, 1}},
                     {"dilations", Ints{1, 2}},
                     {"groups", int64_t{2}}};
const Attrs kPool = {
    {"pool_size", Ints{2, 3}}, {"strides", Ints{2, 2}}, {"padding", Ints{1, 0, 0, 1}}};

Attrs with(Attrs attrs, std::string name, AttrValue value) {
  attrs.set(std::move(name), std::move(value));
  return attrs;
}

std::vector<Case> movement_cases() {
  return {
      {"reshape", {f32({2, 6})}, {{"shape", Ints{3, -1}}}},
      {"transpose", {f32({2, 3, 4})}, {{"permutation", Ints{2, 0, 1}}}},
      {"transpose", {f32({2, 3})}},
      {"broadcast_to", {f32({3, 1})}, {{"shape", Ints{2, 3, 4}}}},
      {"concatenate", {i32({2, 3}), i32({2, 0}), i32({2, 1})}, {{"axis", int64_t{-1}}}},
      {"slice",
       {f32({5, 7})},
       {{"begin", Ints{1, 0}}, {"end", Ints{5, 7}}, {"strides", Ints{2, 3}}}},
      {"pad",
       {f32({3, 4}), f32({})},
       {{"low", Ints{1, -1}}, {"high", Ints{0, 2}}, {"interior", Ints{2, 0}}}},
      {"take", {f32({4, 5, 6}), i64({2, 3})}, {{"axis", int64_t{1}}}},
      {"take", {{DType::UInt8, {4, 5}}, i32({3})}, {{"dtype", DType::Float32}}},
      {"scatter_add", {i64({2, 3}), f32({4, 2, 3})}, {{"shape", Ints{4, 5}}, {"axis", int64_t{1}}}},
      {"flip", {f32({2, 3})}, {{"axes", Ints{0}}}},
      {"iota", {}, {{"shape", Ints{2, 3}}, {"axis", int64_t{1}}, {"dtype", DType::Int32}}},
      {"copy", {f32({2})}},
      {"one_hot", {i32({2, 3})}, {{"num_classes", int64_t{4}}}},
      {"check_range",
       {i64({3})},
       {{"low", int64_t{0}}, {"high", int64_t{5}}, {"what", std::string("label")}}},
      {"cast", {b1({3})}, {{"dtype", DType::BFloat16}}},
      {"where", {b1({3, 1}), f32({4}), f32({})}},
  };
}

std::vector<Case> layer_cases() {
  return {
      {"matmul", {f32({5, 1, 2, 3}), f32({4, 3, 6})}},
      {"matmul", {i32({3, 2}), i32({6, 3})}, {{"transpose_a", true}, {"transpose_b", true}}},
      {"matmul_epilogue",
       {f32({2, 3}), f32({3, 4}), f32({4})},
       {{"epilogue", std::string("maximum(i0 + i1, 0)")}}},
      {"conv2d", {f32({2, 9, 8, 4}), f32({3, 3, 2, 6})}, kConv},
      {"conv2d_epilogue",
       {f32({2, 9, 8, 4}), f32({3, 3, 2, 6}), f32({6})},
       with(kConv, "epilogue", std::string("i0 + i1"))},
      {"conv2d_input_grad",
       {f32({2, 4, 7, 6}), f32({3, 3, 2, 6})},
       with(kConv, "input_shape", Ints{2, 9, 8, 4})},
      {"conv2d_input_grad_epilogue",
       {f32({2, 4, 7, 6}), f32({3, 3, 2, 6}), f32({2, 9, 8, 4})},
       with(with(kConv, "input_shape", Ints{2, 9, 8, 4}), "epilogue",
            std::string("where(i1 > 0, i0, 0)"))},
      {"conv2d_filter_grad",
       {f32({2, 9, 8, 4}), f32({2, 4, 7, 6})},
       with(kConv, "filter_shape", Ints{3, 3, 2, 6})},
      {"conv2d_filter_grad",
       {bf16({2, 9, 8, 4}), bf16({2, 4, 7, 6})},
       with(with(kConv, "filter_shape", Ints{3, 3, 2, 6}), "wide", true)},
      {"conv2d", {bf16({2, 9, 8, 4}), f32({3, 3, 2, 6})}, kConv},
      {"max_pool2d", {f32({2, 9, 8, 4})}, kPool},
      {"max_pool2d_grad", {f32({2, 9, 8, 4}), f32({2, 5, 4, 4})}, kPool},
      {"max_pool2d_argmax", {f32({2, 9, 8, 4})}, kPool},
      {"max_pool2d_argmax_grad",
       {f32({2, 5, 4, 4}), {DType::UInt8, {2, 5, 4, 4}}},
       with(kPool, "input_shape", Ints{2, 9, 8, 4})},
      {"avg_pool2d", {f32({2, 9, 8, 4})}, kPool},
      {"avg_pool2d_grad", {f32({2, 5, 4, 4})}, with(kPool, "input_shape", Ints{2, 9, 8, 4})},
      {"batch_moments", {bf16({2, 3, 4})}},
      {"batch_norm_train", {f32({2, 3, 4}), f32({4}), f32({4})}},
      {"batch_norm", {f32({2, 3, 4}), f32({4}), f32({4}), f32({4}), f32({4})}},
      {"softmax", {f32({2, 3})}},
      {"log_softmax", {f32({2, 3})}, {{"axis", int64_t{0}}}},
      {"sparse_softmax_cross_entropy", {f32({2, 3, 4}), i64({2, 3})}},
      {"sparse_softmax_cross_entropy_grad", {f32({2, 4}), i32({2}), f32({2})}},
      {"softmax_cross_entropy", {f32({2, 4}), f32({2, 4})}},
      {"argmax", {f32({2, 4})}, {{"axis", int64_t{-1}}}},
      {"argmin", {f32({2, 4})}, {{"axis", int64_t{0}}, {"keepdims", true}}},
      {"logsumexp", {f32({2, 4})}, {{"axes", Ints{1}}}},
      {"sort", {f32({2, 4})}, {{"axis", int64_t{0}}}},
      {"argsort", {f32({2, 4})}, {{"descending", true}}},
      {"top_k", {f32({2, 4})}, {{"k", int64_t{3}}}},
      {"in_top_k", {i32({2}), f32({2, 4})}, {{"k", int64_t{3}}}},
  };
}

std::vector<Case> update_cases() {
  return {
      {"random_uniform", {i64({2})}, {{"shape", Ints{3, 5}}}},
      {"random_normal", {i64({2})}, {{"shape", Ints{7}}, {"dtype", DType::Float64}}},
      {"dropout", {f32({4, 4}), i64({2})}, {{"rate", 0.5}}},
      {"batch_indices",
       {i64({}), i64({2})},
       {{"n", int64_t{100}}, {"batch", int64_t{32}}, {"shuffle", true}}},
      {"sgd", {f32({}), f32({2}), f32({3}), f32({2}), f32({3})}, {{"count", int64_t{2}}}},
      {"sgd", {f32({}), f32({2}), f32({2}), f32({2})}, {{"count", int64_t{1}}, {"momentum", 0.9}}},
      {"adam", {f32({}), i64({}), f32({2}), f32({2}), f32({2}), f32({2})}, {{"count", int64_t{1}}}},
      {"fused",
       {f32({4, 3}), f32({3}), b1({4, 1})},
       {{"expr", std::string("t = i0 + i1; t, where(i2, t, 0)")},
        {"shape", Ints{4, 3}},
        {"compute", DType::Float32},
        {"dtypes", Ints{7, 5}},
        {"reduce", std::string("sum,none")},
        {"axes", Ints{1}}}},
  };
}

std::vector<Case> regular_cases() {
  std::vector<Case> cases;
  for (const char* op : {"add", "subtract", "multiply", "divide", "floor_divide", "mod", "power",
                         "maximum", "minimum", "arctan2", "equal", "not_equal", "less",
                         "less_equal", "greater", "greater_equal"}) {
    cases.push_back({op, {f32({3, 1}), f32({2, 1, 4})}});
  }
  for (const char* op :
       {"negative", "abs",        "sign",     "square",       "reciprocal",   "exp",
        "expm1",    "log",        "log1p",    "sqrt",         "rsqrt",        "sin",
        "cos",      "tan",        "tanh",     "arctan",       "erf",          "floor",
        "ceil",     "round",      "isnan",    "isinf",        "isfinite",     "relu",
        "relu6",    "leaky_relu", "elu",      "selu",         "gelu",         "sigmoid",
        "softplus", "silu",       "softsign", "hard_sigmoid", "stop_gradient"}) {
    cases.push_back({op, {f32({2, 3})}});
  }
  cases.push_back({"clip", {f32({3})}, {{"x_min", -1.0}, {"x_max", 1.0}}});
  for (const char* op : {"logical_and", "logical_or", "logical_xor"}) {
    cases.push_back({op, {b1({3, 1}), b1({4})}});
  }
  cases.push_back({"logical_not", {b1({3})}});
  for (const char* op : {"sum", "prod", "max", "min", "mean", "var", "std"}) {
    cases.push_back({op, {f32({2, 3, 4})}, {{"axes", Ints{0, -1}}}});
    cases.push_back({op, {f32({2, 3, 4})}, {{"keepdims", true}}});
  }
  cases.push_back({"sum", {{DType::UInt8, {4}}}});
  cases.push_back({"prod_grad", {f32({2, 3, 4}), f32({2, 1, 1})}, {{"axes", Ints{1, 2}}}});
  for (const char* op : {"any", "all"}) cases.push_back({op, {b1({2, 3})}, {{"axes", Ints{1}}}});
  return cases;
}

// One node, as it is, through supports and compile.
void expect_accepted(const Case& test) {
  SCOPED_TRACE(test.op);
  Graph graph(test.op);
  std::vector<Value> inputs;
  for (const TensorType& type : test.inputs) {
    inputs.push_back(graph.add_input("x" + std::to_string(inputs.size()), type));
  }
  const OpDef& op = OpRegistry::instance().at(test.op);
  for (const Value output : graph.emit(op, test.attrs, inputs)) graph.add_output(output);
  MemoryPlan plan;
  for (int32_t i = 0; i < graph.num_values(); ++i) {
    const auto count = static_cast<int32_t>(inputs.size());
    using Kind = Placement::Kind;
    plan.values.push_back(i < count ? Placement{Kind::Input, i, 0}
                                    : Placement{Kind::Output, i - count, 0});
  }
  const FlatGraph flat(graph, plan);
  const adx_device_api& api = null_device().api();
  std::vector<uint8_t> mask(flat.nodes().size());
  Status status;
  api.supports(null_device().handle(), &flat.get(), mask.data(), status.get());
  EXPECT_TRUE(status.ok()) << status.message();
  for (const uint8_t supported : mask) EXPECT_EQ(supported, 1);
  adx_program* const program = api.compile(null_device().handle(), &flat.get(), status.get());
  EXPECT_TRUE(status.ok()) << status.message();
  if (program != nullptr) api.program_destroy(null_device().handle(), program);
}

TEST(NullDevice, AgreesWithEveryOpsInference) {
  std::vector<Case> cases = regular_cases();
  for (const auto& more : {movement_cases(), layer_cases(), update_cases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  std::vector<std::string> missing;
  for (const OpDef* op : OpRegistry::instance().all()) {
    if (op->name == "constant") continue;
    if (std::none_of(cases.begin(), cases.end(), [&](const Case& c) { return c.op == op->name; })) {
      missing.push_back(op->name);
    }
  }
  EXPECT_EQ(missing, std::vector<std::string>());
  for (const Case& test : cases) expect_accepted(test);
}

// A graph of two nodes y = -x, z = -y that a test may spoil.
struct TinyGraph {
  std::vector<adx_tensor> tensors;
  std::vector<adx_node> nodes;
  int32_t operands[4] = {0, 1, 1, 2};
  adx_graph graph{};

  TinyGraph() {
    for (int i = 0; i < 3; ++i) {
      adx_tensor tensor{};
      tensor.struct_size = sizeof tensor;
      tensor.dtype = ADX_FLOAT32;
      tensor.rank = 1;
      tensor.dims[0] = 4;
      tensor.storage = i == 1 ? ADX_STORAGE_ARENA : ADX_STORAGE_BINDING;
      tensor.binding = i / 2;
      tensors.push_back(tensor);
    }
    for (int i = 0; i < 2; ++i) {
      adx_node node{};
      node.struct_size = sizeof node;
      node.op = "negative";
      node.label = "";
      node.num_inputs = node.num_outputs = 1;
      node.inputs = &operands[2 * i];
      node.outputs = &operands[2 * i + 1];
      nodes.push_back(node);
    }
  }

  // The status of compiling it.
  std::pair<int32_t, std::string> compile() {
    graph.struct_size = sizeof graph;
    graph.tensors = tensors.data();
    graph.num_tensors = static_cast<int32_t>(tensors.size());
    graph.nodes = nodes.data();
    graph.num_nodes = static_cast<int32_t>(nodes.size());
    graph.num_bindings = 2;
    graph.arena_bytes = 64;
    graph.name = "tiny";
    Status status;
    adx_program* const program =
        null_device().api().compile(null_device().handle(), &graph, status.get());
    if (program != nullptr) null_device().api().program_destroy(null_device().handle(), program);
    return {status.code(), std::string(status.message())};
  }
};

void expect_rejected(adx_code code, const std::string& part,
                     const std::function<void(TinyGraph&)>& spoil) {
  TinyGraph tiny;
  spoil(tiny);
  const auto [got, message] = tiny.compile();
  EXPECT_EQ(got, code) << message;
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(NullDevice, RejectsWhatBreaksTheContract) {
  EXPECT_EQ(TinyGraph().compile().first, ADX_OK);
  expect_rejected(ADX_SHAPE, "[negative] output 0 must be float32(4), not float32(5)",
                  [](TinyGraph& t) { t.tensors[2].dims[0] = 5; });
  expect_rejected(ADX_DTYPE, "must be float32(4), not float64(4)",
                  [](TinyGraph& t) { t.tensors[2].dtype = ADX_FLOAT64; });
  expect_rejected(ADX_UNSUPPORTED, "[negate] there is no such op",
                  [](TinyGraph& t) { t.nodes[0].op = "negate"; });
  expect_rejected(ADX_INVALID_ARGUMENT, "[add] expects 2 inputs",
                  [](TinyGraph& t) { t.nodes[0].op = "add"; });
  expect_rejected(ADX_INVALID_ARGUMENT, "lacks the attribute dtype",
                  [](TinyGraph& t) { t.nodes[0].op = "cast"; });
  expect_rejected(ADX_INVALID_ARGUMENT, "not aligned",
                  [](TinyGraph& t) { t.tensors[1].offset = 8; });
  expect_rejected(ADX_INVALID_ARGUMENT, "ends at byte 80 of an arena of 64",
                  [](TinyGraph& t) { t.tensors[1].offset = 64; });
  expect_rejected(ADX_INVALID_ARGUMENT, "binding 2, which does not exist",
                  [](TinyGraph& t) { t.tensors[2].binding = 2; });
  expect_rejected(ADX_INVALID_ARGUMENT, "tensor 1 is read before it is written",
                  [](TinyGraph& t) { std::swap(t.nodes[0], t.nodes[1]); });
  expect_rejected(ADX_INVALID_ARGUMENT, "tensor index 7 does not exist",
                  [](TinyGraph& t) { t.operands[0] = 7; });
  expect_rejected(ADX_INVALID_ARGUMENT, "overlaps a part of an input", [](TinyGraph& t) {
    t.tensors[1].storage = ADX_STORAGE_BINDING;
    t.tensors[1].binding = 0;
    t.tensors[1].offset = 8;
  });
  expect_rejected(ADX_INVALID_ARGUMENT, "tensor 0 is read after tensor 1 was written over it",
                  [](TinyGraph& t) {  // the first node overwrites x, which the second reads
                    t.tensors[1].storage = ADX_STORAGE_BINDING;
                    t.tensors[1].binding = 0;
                    t.operands[2] = 0;
                  });
}

}  // namespace
}  // namespace addax
