#include "passes/pass_fixture.h"

namespace addax {
namespace {

using testing::expect_rewrite;

// The body of a graph with one input x that returns %r.
std::string body(const std::string& type, const std::string& lines) {
  return "graph g {\n %x = input \"x\" : " + type + "\n" + lines + "\n return %r\n}";
}

void expect_simpler(const std::string& type, const std::string& before, const std::string& after) {
  SCOPED_TRACE(before);
  Graph graph = parse_graph(body(type, before));
  passes::simplify(graph, testing::target_without({}));
  passes::eliminate_dead_code(graph, testing::target_without({}));
  verify(graph, "simplify");
  EXPECT_EQ(to_text(graph),
            to_text(parse_graph(after.empty()
                                    ? "graph g {\n %x = input \"x\" : " + type + "\n return %x\n}"
                                    : body(type, after))));
}

void expect_kept(const std::string& type, const std::string& lines) {
  expect_simpler(type, lines, lines);
}

const std::string kZero = "%c = constant() {value=f32[](0)}\n";
const std::string kNegativeZero = "%c = constant() {value=f32[](-0)}\n";
const std::string kOne = "%c = constant() {value=f32[](1)}\n";
const std::string kIntZero = "%c = constant() {value=i32[](0)}\n";
const std::string kIntOne = "%c = constant() {value=i32[](1)}\n";

TEST(Simplify, NeutralOperandsVanish) {
  expect_simpler("i32[3]", kIntZero + "%r = add(%x, %c)", "");
  expect_simpler("i32[3]", kIntZero + "%r = add(%c, %x)", "");
  expect_simpler("i32[3]", kIntZero + "%r = subtract(%x, %c)", "");
  expect_simpler("i32[3]", kIntOne + "%r = multiply(%c, %x)", "");
  expect_simpler("i32[3]", kIntOne + "%r = floor_divide(%x, %c)", "");
  expect_simpler("f32[3]", kZero + "%r = subtract(%x, %c)", "");
  expect_simpler("f32[3]", kNegativeZero + "%r = add(%x, %c)", "");
  expect_simpler("f32[3]", kOne + "%r = multiply(%x, %c)", "");
  expect_simpler("f32[3]", kOne + "%r = divide(%x, %c)", "");
  expect_simpler("f32[3]", kOne + "%r = power(%x, %c)", "");
  expect_simpler("f32[3]", "%c = constant() {value=f32[](2)}\n%r = power(%x, %c)",
                 "%r = square(%x)");
}

TEST(Simplify, WhatIsNotExactStays) {
  expect_kept("f32[3]", kZero + "%r = add(%x, %c)");  // -0 + 0 is 0
  expect_kept("f32[3]", kNegativeZero + "%r = subtract(%x, %c)");
  expect_kept("f32[3]", kZero + "%r = multiply(%x, %c)");  // NaN, infinities, signs
  expect_kept("f32[3]", kZero + "%r = subtract(%c, %x)");  // 0 - 0 is not -0
  expect_kept("f32[3]", "%r = subtract(%x, %x)");          // inf - inf
  expect_kept("f32[3]", "%c = constant() {value=f32[](3)}\n%r = divide(%x, %c)");
  expect_kept("f32[3]", "%c = constant() {value=f32[](1e-40)}\n%r = divide(%x, %c)");
}

TEST(Simplify, IntegersTimesZero) {
  expect_simpler("i32[3]", kIntZero + "%r = multiply(%x, %c)",
                 kIntZero + "%r = broadcast_to(%c) {shape=[3]}");
  expect_simpler("i32[3]", "%r = subtract(%x, %x)", kIntZero + "%r = broadcast_to(%c) {shape=[3]}");
}

TEST(Simplify, DivisionByAPowerOfTwo) {
  expect_simpler("f32[3]", "%c = constant() {value=f32[](32)}\n%r = divide(%x, %c)",
                 "%c = constant() {value=f32[](0.03125)}\n%r = multiply(%x, %c)");
  expect_simpler("f16[3]", "%c = constant() {value=f16[](-0.5)}\n%r = divide(%x, %c)",
                 "%c = constant() {value=f16[](-2)}\n%r = multiply(%x, %c)");
}

TEST(Simplify, BroadcastsWhatTheNeutralOperandWidened) {
  expect_simpler("f32[3]", "%c = constant() {value=f32[2,1](1, 1)}\n%r = multiply(%x, %c)",
                 "%r = broadcast_to(%x) {shape=[2,3]}");
}

TEST(Simplify, TwiceIsOnce) {
  expect_simpler("f32[3]", "%a = negative(%x)\n%r = negative(%a)", "");
  expect_simpler("b1[3]", "%a = logical_not(%x)\n%r = logical_not(%a)", "");
  expect_simpler("f32[3]", "%r = maximum(%x, %x)", "");
  expect_simpler("b1[3]", "%r = logical_and(%x, %x)", "");
}

TEST(Simplify, WhereWithAKnownConditionOrEqualBranches) {
  const std::string y = "%y = exp(%x)\n";
  expect_simpler("f32[3]", y + "%c = constant() {value=b1[](1)}\n%r = where(%c, %x, %y)", "");
  expect_simpler("f32[3]", y + "%c = constant() {value=b1[](0)}\n%r = where(%c, %x, %y)",
                 "%r = exp(%x)");
  expect_simpler("f32[3]", "%c = isnan(%x)\n%r = where(%c, %x, %x)", "");
}

TEST(Simplify, CastsThatLoseNothingCollapse) {
  expect_simpler("f32[3]", "%r = cast(%x) {dtype=f32}", "");
  expect_simpler("f16[3]", "%a = cast(%x) {dtype=f32}\n%r = cast(%a) {dtype=f16}", "");
  expect_simpler("u8[3]", "%a = cast(%x) {dtype=i32}\n%r = cast(%a) {dtype=f32}",
                 "%r = cast(%x) {dtype=f32}");
  expect_simpler("b1[3]", "%a = cast(%x) {dtype=f32}\n%r = cast(%a) {dtype=i32}",
                 "%r = cast(%x) {dtype=i32}");
  expect_kept("f32[3]", "%a = cast(%x) {dtype=bf16}\n%r = cast(%a) {dtype=f32}");
  expect_kept("i32[3]", "%a = cast(%x) {dtype=f32}\n%r = cast(%a) {dtype=i32}");
  expect_kept("i64[3]", "%a = cast(%x) {dtype=i32}\n%r = cast(%a) {dtype=i64}");
  expect_kept("i8[3]", "%a = cast(%x) {dtype=f32}\n%r = cast(%a) {dtype=u8}");
}

TEST(Simplify, MovementsThatMoveNothing) {
  expect_simpler("f32[2,3]", "%r = reshape(%x) {shape=[2,3]}", "");
  expect_simpler("f32[2,3]", "%a = reshape(%x) {shape=[6]}\n%r = reshape(%a) {shape=[2,3]}", "");
  expect_simpler("f32[2,3]", "%a = reshape(%x) {shape=[6]}\n%r = reshape(%a) {shape=[3,2]}",
                 "%r = reshape(%x) {shape=[3,2]}");
  expect_simpler("f32[2,3]", "%r = broadcast_to(%x) {shape=[2,3]}", "");
  expect_simpler("f32[3]",
                 "%a = broadcast_to(%x) {shape=[2,3]}\n%r = broadcast_to(%a) {shape=[4,2,3]}",
                 "%r = broadcast_to(%x) {shape=[4,2,3]}");
  expect_simpler("f32[3]", "%r = broadcast_to(%x) {shape=[1,3]}", "%r = reshape(%x) {shape=[1,3]}");
  expect_simpler("f32[2,3]", "%r = transpose(%x) {permutation=[0,1]}", "");
  expect_simpler("f32[2,3]", "%a = transpose(%x)\n%r = transpose(%a)", "");
  expect_simpler(
      "f32[2,3,4]",
      "%a = transpose(%x) {permutation=[1,2,0]}\n%r = transpose(%a) {permutation=[1,0,2]}",
      "%r = transpose(%x) {permutation=[2,1,0]}");
  expect_simpler("f32[2,1,3]", "%r = transpose(%x) {permutation=[1,0,2]}",
                 "%r = reshape(%x) {shape=[1,2,3]}");
  expect_simpler("f32[2,3]", "%r = slice(%x) {begin=[0,0], end=[2,3]}", "");
  expect_simpler("f32[3]", kZero + "%r = pad(%x, %c) {low=[0], high=[0]}", "");
  expect_simpler("f32[2,1]", "%r = flip(%x) {axes=[1]}", "");
  expect_simpler("f32[2,3]", "%r = concatenate(%x)", "");
  expect_simpler("f32[2,3]", "%r = stop_gradient(%x)", "");
  expect_simpler("f32[2,1]", "%r = sum(%x) {axes=[1]}", "%r = reshape(%x) {shape=[2]}");
  expect_simpler("u8[2,1]", "%r = sum(%x) {axes=[1], keepdims=true}", "%r = cast(%x) {dtype=i32}");
  expect_kept("f32[2,3]", "%r = slice(%x) {begin=[0,0], end=[2,2]}");
  expect_kept("f32[2,3]", "%r = transpose(%x)");
}

TEST(Simplify, TransposesMergeIntoMatmul) {
  expect_rewrite(
      [](Graph& graph, const PassTarget& target) {
        passes::simplify(graph, target);
        passes::eliminate_dead_code(graph, target);
      },
      R"(graph g {
        %a = input "a" : f32[5,3,2]
        %b = input "b" : f32[5,3,4]
        %t = transpose(%a) {permutation=[0,2,1]}
        %u = transpose(%b) {permutation=[0,2,1]}
        %y = matmul(%t, %u) {transpose_b=true}
        return %y
      })",
      R"(graph g {
        %a = input "a" : f32[5,3,2]
        %b = input "b" : f32[5,3,4]
        %y = matmul(%a, %b) {transpose_a=true}
        return %y
      })");
}

TEST(Simplify, ElementwiseBeforeBroadcast) {
  expect_simpler("f32[3]", "%a = broadcast_to(%x) {shape=[2,3]}\n%r = exp(%a)",
                 "%a = exp(%x)\n%r = broadcast_to(%a) {shape=[2,3]}");
  expect_simpler("f32[3]",
                 "%c = constant() {value=f32[](3)}\n%a = broadcast_to(%x) {shape=[2,3]}\n"
                 "%b = broadcast_to(%c) {shape=[2,1]}\n%r = multiply(%a, %b)",
                 "%c = constant() {value=f32[](3)}\n%a = multiply(%x, %c)\n"
                 "%r = broadcast_to(%a) {shape=[2,3]}");
}

}  // namespace
}  // namespace addax
