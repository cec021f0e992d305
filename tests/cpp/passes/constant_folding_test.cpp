#include "passes/pass_fixture.h"

namespace addax {
namespace {

void fold(Graph& graph, const PassTarget& target) {
  passes::fold_constants(graph, target);
  passes::eliminate_dead_code(graph, target);
}

// Folds the lines, which define %r, and compares with a constant.
void expect_constant(const std::string& lines, const std::string& literal) {
  SCOPED_TRACE(lines);
  testing::expect_rewrite(fold, "graph g {\n" + lines + "\n return %r\n}",
                          "graph g {\n %r = constant() {value=" + literal + "}\n return %r\n}");
}

// Of operands given as literals.
void expect_value(const std::string& op, const std::string& a, const std::string& b,
                  const std::string& literal) {
  expect_constant("%a = constant() {value=" + a + "}\n%b = constant() {value=" + b +
                      "}\n%r = " + op + "(%a, %b)",
                  literal);
}

TEST(ConstantFolding, RoundsToTheDType) {
  expect_value("add", "f32[](0.1)", "f32[](0.2)", "f32[](0.3)");
  expect_value("add", "f64[](0.1)", "f64[](0.2)", "f64[](0.30000000000000004)");
  expect_value("multiply", "f32[](1e30)", "f32[](1e30)", "f32[](inf)");
  expect_value("divide", "f32[](1)", "f32[](0)", "f32[](inf)");
  expect_value("add", "f16[](2048)", "f16[](1)", "f16[](2048)");
}

TEST(ConstantFolding, IntegersWrapAndRoundDown) {
  expect_value("add", "i64[](9223372036854775807)", "i64[](1)", "i64[](-9223372036854775808)");
  expect_value("add", "i32[](2147483647)", "i32[](1)", "i32[](-2147483648)");
  expect_value("subtract", "u8[](3)", "u8[](5)", "u8[](254)");
  expect_value("multiply", "i64[](9007199254740993)", "i64[](3)", "i64[](27021597764222979)");
  expect_value("floor_divide", "i32[](-7)", "i32[](2)", "i32[](-4)");
  expect_value("mod", "i32[](-7)", "i32[](2)", "i32[](1)");
  expect_value("mod", "i32[](7)", "i32[](-2)", "i32[](-1)");
  expect_value("power", "i32[](-3)", "i32[](3)", "i32[](-27)");
}

TEST(ConstantFolding, WhatIsUndefinedStays) {
  const auto kept = [](const std::string& lines) {
    const std::string text = "graph g {\n" + lines + "\n return %r\n}";
    testing::expect_rewrite(fold, text, text);
  };
  const std::string zero = "%a = constant() {value=i32[](7)}\n%b = constant() {value=i32[](0)}\n";
  kept(zero + "%r = floor_divide(%a, %b)");
  kept(zero + "%r = mod(%a, %b)");
  kept("%a = constant() {value=i32[](7)}\n%b = constant() {value=i32[](-1)}\n%r = power(%a, %b)");
  kept("%a = constant() {value=f32[](1e10)}\n%r = cast(%a) {dtype=i32}");
  kept("%a = constant() {value=f32[](-1)}\n%r = cast(%a) {dtype=u8}");
  kept("%a = constant() {value=f32[](nan)}\n%r = cast(%a) {dtype=i64}");
}

TEST(ConstantFolding, CastsComparesAndSelects) {
  expect_constant("%a = constant() {value=f32[](-2.7)}\n%r = cast(%a) {dtype=i32}", "i32[](-2)");
  expect_constant("%a = constant() {value=f32[](0.5)}\n%r = cast(%a) {dtype=b1}", "b1[](1)");
  expect_constant("%a = constant() {value=i64[](300)}\n%r = cast(%a) {dtype=u8}", "u8[](44)");
  expect_value("less", "f32[2](1, 3)", "f32[](2)", "b1[2](1, 0)");
  expect_constant(
      "%c = constant() {value=b1[3](1, 0, 1)}\n%a = constant() {value=i32[3](1, 2, 3)}\n"
      "%b = constant() {value=i32[](9)}\n%r = where(%c, %a, %b)",
      "i32[3](1, 9, 3)");
}

TEST(ConstantFolding, BroadcastsOperands) {
  expect_value("add", "f32[2,1](10, 20)", "f32[3](1, 2, 3)", "f32[2,3](11, 12, 13, 21, 22, 23)");
}

TEST(ConstantFolding, MovesAndCounts) {
  expect_constant("%r = iota() {shape=[2,3], axis=1, dtype=i32}", "i32[2,3](0, 1, 2, 0, 1, 2)");
  expect_constant("%r = iota() {shape=[2,3], axis=0, dtype=f32}", "f32[2,3](0, 0, 0, 1, 1, 1)");
  expect_constant("%a = constant() {value=f32[4](1, 2, 3, 4)}\n%r = reshape(%a) {shape=[2,2]}",
                  "f32[2,2](1, 2, 3, 4)");
  expect_constant("%a = constant() {value=f32[2](1, 2)}\n%r = broadcast_to(%a) {shape=[2,2]}",
                  "f32[2,2](1, 2, 1, 2)");
}

TEST(ConstantFolding, EqualElementsAreKeptAsOneNumber) {
  testing::expect_rewrite(fold, R"(graph g {
    %a = constant() {value=f32[2,2](3, 3, 3, 3)}
    %b = constant() {value=f32[](4)}
    %c = broadcast_to(%b) {shape=[1000,1000,2,2]}
    %d = multiply(%a, %c)
    %e = reshape(%d) {shape=[4000000]}
    %r = exp(%e)
    %x = input "x" : f32[4000000]
    %s = add(%r, %x)
    return %e, %s
  })",
                          R"(graph g {
    %x = input "x" : f32[4000000]
    %c = constant() {value=f32[](12)}
    %e = broadcast_to(%c) {shape=[4000000]}
    %d = constant() {value=f32[](162754.8)}
    %r = broadcast_to(%d) {shape=[4000000]}
    %s = add(%r, %x)
    return %e, %s
  })");
}

TEST(ConstantFolding, LargeResultsAreNotFolded) {
  const char* text = R"(graph g {
    %a = iota() {shape=[100000], dtype=f32}
    %b = exp(%a)
    return %b
  })";
  testing::expect_rewrite(fold, text, text);
}

TEST(FillConstants, WritesOutSmallBroadcasts) {
  testing::expect_rewrite(
      [](Graph& graph, const PassTarget& target) {
        passes::fill_constants(graph, target);
        passes::eliminate_dead_code(graph, target);
      },
      R"(graph g {
    %a = constant() {value=i32[](7)}
    %b = broadcast_to(%a) {shape=[2,2]}
    %c = broadcast_to(%a) {shape=[100000]}
    return %b, %c
  })",
      R"(graph g {
    %a = constant() {value=i32[](7)}
    %b = constant() {value=i32[2,2](7, 7, 7, 7)}
    %c = broadcast_to(%a) {shape=[100000]}
    return %b, %c
  })");
}

}  // namespace
}  // namespace addax
