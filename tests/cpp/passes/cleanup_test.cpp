#include "passes/pass_fixture.h"
#include "passes/place.h"

namespace addax {
namespace {

using testing::expect_rewrite;
using testing::target_without;

TEST(DeadCode, GoesUnlessAnOutputOrAStateNeedsIt) {
  expect_rewrite(passes::eliminate_dead_code,
                 R"(graph g {
    %x = input "x" : f32[3]
    %unused = input "unused" : f32[3]
    %s = state "s" : f32[3] -> %n
    %a = exp(%x)
    %b = sin(%a)
    %c = cos(%a)
    %n = add(%s, %a)
    return %c
  })",
                 R"(graph g {
    %x = input "x" : f32[3]
    %unused = input "unused" : f32[3]
    %s = state "s" : f32[3] -> %n
    %a = exp(%x)
    %c = cos(%a)
    %n = add(%s, %a)
    return %c
  })");
}

TEST(DeadCode, KeepsANodeOfWhichOneOutputIsNeeded) {
  const char* text = R"(graph g {
    %k = state "k" : i64[2] -> %n
    %y, %n = random_uniform(%k) {shape=[3]}
  })";
  expect_rewrite(passes::eliminate_dead_code, text, text);
}

TEST(CommonSubexpressions, EqualCallsBecomeOne) {
  expect_rewrite(passes::eliminate_common_subexpressions,
                 R"(graph g {
    %x = input "x" : f32[3]
    %y = input "y" : f32[3]
    %a = add(%x, %y)  # first
    %b = add(%y, %x)  # second
    %c = exp(%a)
    %d = exp(%b)
    %e = multiply(%c, %d)
    return %e
  })",
                 R"(graph g {
    %x = input "x" : f32[3]
    %y = input "y" : f32[3]
    %a = add(%x, %y)  # first
    %c = exp(%a)
    %e = multiply(%c, %c)
    return %e
  })");
}

TEST(CommonSubexpressions, AttributesAndOrderMatter) {
  const char* text = R"(graph g {
    %x = input "x" : f32[3,3]
    %y = input "y" : f32[3,3]
    %a = sum(%x) {axes=[0]}
    %b = sum(%x) {axes=[1]}
    %c = subtract(%x, %y)
    %d = subtract(%y, %x)
    %e = maximum(%x, %y)
    %f = maximum(%y, %x)
    %g = constant() {value=f32[](0)}
    %h = constant() {value=f32[](-0)}
    %i = constant() {value=i32[](0)}
    return %a, %b, %c, %d, %e, %f, %g, %h, %i
  })";
  expect_rewrite(passes::eliminate_common_subexpressions, text, text);
}

TEST(CommonSubexpressions, AllOutputsOfANodeAreReplaced) {
  expect_rewrite(passes::eliminate_common_subexpressions,
                 R"(graph g {
    %k = input "k" : i64[2]
    %a, %b = random_uniform(%k) {shape=[3]}
    %c, %d = random_uniform(%k) {shape=[3]}
    %e = constant() {value=f32[2](1, 2)}
    %f = constant() {value=f32[2](1, 2)}
    return %c, %d, %f
  })",
                 R"(graph g {
    %k = input "k" : i64[2]
    %a, %b = random_uniform(%k) {shape=[3]}
    %e = constant() {value=f32[2](1, 2)}
    return %a, %b, %e
  })");
}

TEST(Decompose, RewritesOnlyWhatTheDeviceRefuses) {
  const char* before = R"(graph g {
    %x = input "x" : f32[2,4]
    %y = mean(%x) {axes=[1]}  # pool
    return %y
  })";
  expect_rewrite(passes::decompose, before, before);
  expect_rewrite(passes::decompose, before,
                 R"(graph g {
    %x = input "x" : f32[2,4]
    %s = sum(%x) {axes=[1]}  # pool
    %c = constant() {value=f32[](4)}  # pool
    %y = divide(%s, %c)  # pool
    return %y
  })",
                 target_without({"mean"}));
}

TEST(Decompose, GoesAsDeepAsItTakes) {
  Graph graph = parse_graph(R"(graph g {
    %x = input "x" : f32[2,4]
    %y = std(%x)
    return %y
  })");
  passes::decompose(graph, target_without({"std", "var", "mean"}));
  for (const Node& node : graph.nodes()) {
    EXPECT_NE(node.op->op_class, OpClass::Composite) << node.op->name;
  }
  Graph shallow = parse_graph(to_text(graph));
  EXPECT_EQ(to_text(shallow), to_text(graph));
}

TEST(Place, FindsTheNodesThatHaveNoKernel) {
  Graph graph = parse_graph(R"(graph g {
    %x = input "x" : f32[2,3]
    %y = reshape(%x) {shape=[6]}
    %z = sum(%y)  # head
    return %z
  })");
  EXPECT_TRUE(refused_nodes(graph, target_without({"reshape", "constant"})).empty());
  EXPECT_EQ(refused_nodes(graph, target_without({"sum"})), std::vector<NodeId>{1});
  EXPECT_EQ(describe_types(graph, graph.nodes()[1]), "(f32[6]) -> f32[]");
  EXPECT_EQ(describe_label(graph.nodes()[1]), ", in 'head'");
}

}  // namespace
}  // namespace addax
