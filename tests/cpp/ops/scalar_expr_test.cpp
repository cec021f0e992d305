#include "ops/scalar_expr.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "ops/scalar_expr_builder.h"

namespace addax {
namespace {

const std::vector<std::string> kNames = {"x", "y"};

ScalarExpr parse(std::string_view text) { return ScalarExpr::parse(text, kNames); }

double value_of(std::string_view text, double x = 0, double y = 0) {
  return evaluate(parse(text), std::vector<double>{x, y})[0];
}

TEST(ScalarExprParser, FollowsPrecedenceAndAssociativity) {
  EXPECT_EQ(value_of("1 + 2 * 3"), 7);
  EXPECT_EQ(value_of("(1 + 2) * 3"), 9);
  EXPECT_EQ(value_of("10 - 4 - 3"), 3);
  EXPECT_EQ(value_of("x - y - 3", 10, 4), 3);
  EXPECT_EQ(value_of("x - (y - 3)", 10, 4), 9);
  EXPECT_EQ(value_of("x / y / 2", 24, 3), 4);
  EXPECT_EQ(value_of("x / y * 2", 24, 3), 16);
  EXPECT_EQ(value_of("7 // 2 * 2"), 6);
  EXPECT_EQ(value_of("x % 4 + 1", 7), 4);
  EXPECT_EQ(value_of("-x * y", 2, 3), -6);
  EXPECT_EQ(value_of("x - -y", 2, 3), 5);
  EXPECT_EQ(value_of("--x", 2), 2);
  EXPECT_EQ(value_of("x + 1 < y * 2", 2, 2), 1);
  EXPECT_EQ(value_of("(x < y) == (y > x)", 1, 2), 1);
}

TEST(ScalarExprParser, KnowsEveryOperator) {
  EXPECT_EQ(value_of("x == y", 1, 1), 1);
  EXPECT_EQ(value_of("x != y", 1, 1), 0);
  EXPECT_EQ(value_of("x <= y", 1, 1), 1);
  EXPECT_EQ(value_of("x >= y", 0, 1), 0);
  EXPECT_EQ(value_of("x < y", 0, 1), 1);
  EXPECT_EQ(value_of("x > y", 0, 1), 0);
  EXPECT_EQ(value_of("x // y", -7, 2), -4);
  EXPECT_EQ(value_of("x % y", -7, 3), 2);
  EXPECT_EQ(value_of("where(x, 1, 2)", 0), 2);
  EXPECT_EQ(value_of("t = x + 1; s = t * t; s - t", 2), 6);
  EXPECT_EQ(value_of("min_x = 2.5e1;minimum(min_x,x)", 30), 25);
  EXPECT_TRUE(std::isinf(value_of("-inf")));
  EXPECT_TRUE(std::isnan(value_of("x + nan", 1)));
}

TEST(ScalarExprParser, ReplacesConstantsAndFoldsThem) {
  const ScalarExpr expr =
      ScalarExpr::parse("where(flag, x, y) * (2 * scale)", kNames, {{"flag", 0.0}, {"scale", 3.0}});
  EXPECT_EQ(expr.to_string(), "i1 * 6");
  EXPECT_EQ(parse("exp(0) + sqrt(4)").to_string(), "3");
}

TEST(ScalarExprParser, SharesEqualSubexpressions) {
  const ScalarExpr expr = parse("exp(x) * y + exp(x)");
  EXPECT_EQ(expr.to_string(), "t0 = exp(i0); t0 * i1 + t0");
  EXPECT_EQ(expr.num_operations(), 3);
  EXPECT_EQ(parse("x - 0 + (x - -0)").num_operations(), 3) << "0 and -0 are different numbers";
}

TEST(ScalarExprParser, DropsWhatNoOutputNeeds) {
  EXPECT_EQ(parse("unused = exp(x); y + 1"), parse("y + 1"));
  EXPECT_EQ(parse("y").num_inputs, 2);
}

TEST(ScalarExprParser, HasSeveralOutputs) {
  const ScalarExpr expr = parse("t = exp(-abs(x)); where(x >= 0, 1, t) / (1 + t), log1p(t), x");
  const std::vector<double> values = evaluate(expr, std::vector<double>{-2.0, 0.0});
  ASSERT_EQ(values.size(), 3u);
  EXPECT_DOUBLE_EQ(values[0], 1 / (1 + std::exp(2.0)));
  EXPECT_DOUBLE_EQ(values[1], std::log1p(std::exp(-2.0)));
  EXPECT_EQ(values[2], -2);
}

struct BadText {
  std::string text;
  int column;
  std::string message;
};

TEST(ScalarExprParser, NamesPositionAndReason) {
  const std::vector<BadText> cases = {
      {"", 1, "expected a number, a name or '('"},
      {"x +", 4, "expected a number, a name or '('"},
      {"x + * y", 5, "expected a number, a name or '('"},
      {"(x + y", 7, "expected ')'"},
      {"x y", 3, "expected an operator or the end"},
      {"x + z", 5, "unknown name 'z'"},
      {"x + maximun(x, y)", 5, "unknown function 'maximun'; did you mean 'maximum'?"},
      {"where(x, y)", 1, "'where' takes 3 arguments, got 2"},
      {"exp()", 1, "'exp' takes 1 arguments, got 0"},
      {"x < y < 1", 7, "comparisons do not chain"},
      {"t = x; t = y; t", 8, "'t' has a value already"},
      {"t = x y", 7, "expected ';'"},
      {"x = 1; x", 1, "'x' has a value already"},
      {"1..5 + x", 3, "expected an operator or the end"},
      {"x; y", 2, "expected an operator or the end"},
  };
  for (const BadText& bad : cases) {
    try {
      parse(bad.text);
      ADD_FAILURE() << "'" << bad.text << "' was taken";
    } catch (const InvalidArgumentError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("column " + std::to_string(bad.column) + ":"), std::string::npos)
          << message;
      EXPECT_NE(message.find(bad.message), std::string::npos) << message;
    }
  }
}

TEST(ScalarExprParser, RefusesNestingThatWouldOverflowTheStack) {
  const std::string deep = std::string(100000, '(') + "x" + std::string(100000, ')');
  EXPECT_THROW(parse(deep), InvalidArgumentError);
  EXPECT_EQ(value_of(std::string(100000, '-') + "x", 3), 3);
}

TEST(ScalarExprText, ReadsBackEqual) {
  for (const char* text : {
           "x",
           "1",
           "-2.5",
           "inf",
           "-inf",
           "nan",
           "0.1 + x",
           "x - (y - 1)",
           "(x - y) - 1",
           "x / (y * 2)",
           "x * (y + -2)",
           "-(x * y)",
           "-x * y",
           "-(-x)",
           "(x < y) + (x == y)",
           "(x < y) == y",
           "x // y % 3",
           "where(x > 0, x, 0.2 * x)",
           "logical_not(logical_or(isfinite(x), isnan(x)))",
           "t = exp(-abs(x)); where(x >= 0, 1, t) / (1 + t), log1p(t)",
           "a = x + y; b = a * a; c = b * b; c + b + a, c, c",
           "x, x, 3, y",
           "1e-300 * x + 1.7976931348623157e308",
       }) {
    const ScalarExpr expr = parse(text);
    EXPECT_EQ(ScalarExpr::parse_canonical(expr.to_string(), 2), expr) << expr.to_string();
  }
}

TEST(ScalarExprText, LongChainsReadBackEqual) {
  ScalarExprBuilder builder(1);
  int32_t value = builder.input(0);
  for (int i = 0; i < 5000; ++i) {
    value = builder.apply(i % 2 == 0 ? ScalarOp::Exp : ScalarOp::Negative, value);
  }
  const ScalarExpr expr = builder.build(std::vector<int32_t>{value});
  EXPECT_EQ(expr.num_operations(), 5000);
  EXPECT_EQ(ScalarExpr::parse_canonical(expr.to_string(), 1), expr);
}

TEST(ScalarExprBuilder, InlinesExpressions) {
  const ScalarExpr square = ScalarExpr::parse("x * x, x", std::vector<std::string>{"x"});
  ScalarExprBuilder builder(2);
  const int32_t sum = builder.apply(ScalarOp::Add, builder.input(0), builder.input(1));
  const std::vector<int32_t> outputs = builder.append(square, std::vector<int32_t>{sum});
  EXPECT_EQ(builder.build(outputs), parse("(x + y) * (x + y), x + y"));
}

TEST(ScalarOps, EvaluateAsNumPyDoes) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(evaluate(ScalarOp::Maximum, 1, nan)));
  EXPECT_TRUE(std::isnan(evaluate(ScalarOp::Maximum, nan, 1)));
  EXPECT_TRUE(std::isnan(evaluate(ScalarOp::Minimum, 1, nan)));
  EXPECT_TRUE(std::isnan(evaluate(ScalarOp::Minimum, nan, 1)));
  EXPECT_TRUE(std::isnan(evaluate(ScalarOp::Sign, nan)));
  EXPECT_EQ(evaluate(ScalarOp::Round, 2.5), 2);
  EXPECT_EQ(evaluate(ScalarOp::Round, -3.5), -4);
  EXPECT_EQ(evaluate(ScalarOp::FloorDivide, 1, 0.1), 9);
  EXPECT_EQ(evaluate(ScalarOp::FloorDivide, -7, 2), -4);
  EXPECT_EQ(evaluate(ScalarOp::FloorDivide, 1, 0), inf);
  EXPECT_EQ(evaluate(ScalarOp::Mod, 7, -3), -2);
  EXPECT_EQ(evaluate(ScalarOp::Power, 0, 0), 1);
  EXPECT_EQ(evaluate(ScalarOp::Rsqrt, 4), 0.5);
  EXPECT_EQ(evaluate(ScalarOp::IsFinite, inf), 0);
  EXPECT_EQ(evaluate(ScalarOp::IsNan, nan), 1);
}

}  // namespace
}  // namespace addax
