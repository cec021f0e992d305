#include "ops/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"

namespace addax {
namespace {

const OpRegistry& registry() { return OpRegistry::instance(); }

OpDef minimal(std::string name) {
  OpDef def;
  def.name = std::move(name);
  def.doc = "Does nothing.";
  def.inputs = {"x"};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> { return {call.inputs[0]}; };
  return def;
}

TEST(Registry, FindsOpsByName) {
  EXPECT_EQ(registry().at("add").name, "add");
  EXPECT_EQ(registry().find("nothing_of_this_name"), nullptr);
  try {
    registry().at("softmaxx");
    FAIL();
  } catch (const InvalidArgumentError& error) {
    EXPECT_STREQ(error.what(), "there is no op 'softmaxx'; did you mean 'softmax'?");
  }
}

TEST(Registry, ListsOpsByName) {
  const std::vector<const OpDef*> all = registry().all();
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(),
                             [](const OpDef* a, const OpDef* b) { return a->name < b->name; }));
}

TEST(Registry, HoldsTheWholeContract) {
  for (const char* name : {"cast",
                           "square",
                           "reciprocal",
                           "sigmoid",
                           "relu",
                           "relu6",
                           "leaky_relu",
                           "elu",
                           "selu",
                           "gelu",
                           "softplus",
                           "silu",
                           "softsign",
                           "hard_sigmoid",
                           "clip",
                           "isinf",
                           "logical_xor",
                           "stop_gradient",
                           "sum",
                           "max",
                           "min",
                           "prod",
                           "any",
                           "all",
                           "argmax",
                           "argmin",
                           "mean",
                           "var",
                           "std",
                           "logsumexp",
                           "matmul",
                           "matmul_epilogue",
                           "conv2d",
                           "conv2d_input_grad",
                           "conv2d_filter_grad",
                           "conv2d_epilogue",
                           "conv2d_input_grad_epilogue",
                           "max_pool2d",
                           "max_pool2d_grad",
                           "max_pool2d_argmax",
                           "max_pool2d_argmax_grad",
                           "avg_pool2d",
                           "avg_pool2d_grad",
                           "batch_moments",
                           "batch_norm_train",
                           "batch_norm",
                           "softmax",
                           "log_softmax",
                           "sparse_softmax_cross_entropy",
                           "sparse_softmax_cross_entropy_grad",
                           "softmax_cross_entropy",
                           "check_range",
                           "reshape",
                           "transpose",
                           "broadcast_to",
                           "concatenate",
                           "slice",
                           "pad",
                           "take",
                           "scatter_add",
                           "flip",
                           "iota",
                           "constant",
                           "copy",
                           "one_hot",
                           "argsort",
                           "sort",
                           "top_k",
                           "in_top_k",
                           "random_uniform",
                           "random_normal",
                           "dropout",
                           "batch_indices",
                           "sgd",
                           "adam",
                           "fused"}) {
    EXPECT_NE(registry().find(name), nullptr) << name;
  }
}

TEST(Registry, EveryScalarOperationIsAPublicOpOfItsName) {
  for (int i = 0; i < kNumScalarOps; ++i) {
    const ScalarOp op = static_cast<ScalarOp>(i);
    if (arity(op) == 0) continue;
    const OpDef& def = registry().at(op_name(op));
    EXPECT_TRUE(def.is_public) << def.name;
    const ScalarExpr expr = scalar_expr(def, {});
    ASSERT_EQ(expr.num_operations(), 1) << def.name;
    EXPECT_EQ(expr.code.back().op, op) << def.name;
    EXPECT_EQ(static_cast<int>(def.inputs.size()), arity(op)) << def.name;
    EXPECT_EQ(scalar_op_from_name(def.name), op);
  }
}

TEST(Registry, PublicOpsExplainThemselvesByAnExample) {
  for (const OpDef* def : registry().all()) {
    if (!def->is_public || def->op_class == OpClass::Update) continue;
    EXPECT_NE(def->doc.find(">>> "), std::string::npos) << def->name;
    EXPECT_NE(def->doc.find("ops." + def->name + "("), std::string::npos) << def->name;
  }
}

TEST(Registry, PrimitivesAreThoseOfTheContract) {
  std::set<std::string> primitives;
  for (const OpDef* def : registry().all()) {
    if (!def->decompose && def->op_class != OpClass::Elementwise) primitives.insert(def->name);
  }
  EXPECT_EQ(primitives, (std::set<std::string>{"sum",
                                               "max",
                                               "min",
                                               "prod",
                                               "any",
                                               "all",
                                               "argmax",
                                               "argmin",
                                               "matmul",
                                               "check_range",
                                               "reshape",
                                               "transpose",
                                               "broadcast_to",
                                               "concatenate",
                                               "slice",
                                               "pad",
                                               "take",
                                               "scatter_add",
                                               "flip",
                                               "iota",
                                               "constant",
                                               "copy",
                                               "random_uniform",
                                               "random_normal",
                                               "batch_indices"}));
}

TEST(Registry, UpdatesOverwriteTheirOwnTensors) {
  const OpDef& sgd = registry().at("sgd");
  const Attrs plain = {{"count", int64_t{3}}};
  const Attrs momentum = {{"count", int64_t{2}}};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(in_place_input(sgd, plain, i, 7), 1 + i);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(in_place_input(sgd, momentum, i, 7), 1 + i);
  for (int i = 2; i < 4; ++i) EXPECT_EQ(in_place_input(sgd, momentum, i, 7), 1 + i + 2);
  EXPECT_EQ(sgd.in_place(0, 7), 1);
  EXPECT_EQ(sgd.in_place(2, 7), -1);

  const OpDef& adam = registry().at("adam");
  for (int i = 0; i < 6; ++i) {
    const int expected = 2 + i + (i < 2 ? 0 : 2);
    EXPECT_EQ(in_place_input(adam, {{"count", int64_t{2}}}, i, 10), expected);
    EXPECT_EQ(adam.in_place(i, 10), expected);
  }
}

TEST(RegistryBuilder, RejectsInvalidRecords) {
  const auto rejects = [](const OpDef& def) {
    OpRegistryBuilder builder;
    EXPECT_THROW(builder.add(def), InternalError);
  };
  OpRegistryBuilder builder;
  EXPECT_NO_THROW(builder.add(minimal("fine")));
  EXPECT_NO_THROW(builder.add(minimal("fine")));
  EXPECT_THROW(builder.build(), InternalError);

  OpDef def = minimal("op");
  def.doc.clear();
  rejects(def);
  def = minimal("op");
  def.infer = nullptr;
  rejects(def);
  def = minimal("op");
  def.expr = "x";
  rejects(def);
  def = minimal("op");
  def.op_class = OpClass::Elementwise;
  rejects(def);
  def = minimal("op");
  def.inputs = {"x", "x"};
  rejects(def);
  def = minimal("op");
  def.attrs = {{"x", AttrKind::Int, {}, "Same name as an input."}};
  rejects(def);
  def = minimal("op");
  def.attrs = {{"n", AttrKind::Int, {}, ""}};
  rejects(def);
  def = minimal("op");
  def.op_class = OpClass::Elementwise;
  def.expr = "x + unknown";
  rejects(def);
}

}  // namespace
}  // namespace addax
