#include "ops/scalar_expr.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

namespace addax {
namespace {

struct OpInfo {
  std::string_view name;
  int arity;
  std::string_view infix;  // empty: written as a call
  int precedence;
};

constexpr int kComparison = 1;
constexpr int kAdditive = 2;
constexpr int kMultiplicative = 3;
constexpr int kUnary = 4;
constexpr int kPrimary = 5;

constexpr std::array<OpInfo, kNumScalarOps> kOps = {{
    {"", 0, "", kPrimary},
    {"", 0, "", kPrimary},
    {"add", 2, " + ", kAdditive},
    {"subtract", 2, " - ", kAdditive},
    {"multiply", 2, " * ", kMultiplicative},
    {"divide", 2, " / ", kMultiplicative},
    {"floor_divide", 2, " // ", kMultiplicative},
    {"mod", 2, " % ", kMultiplicative},
    {"power", 2, "", kPrimary},
    {"maximum", 2, "", kPrimary},
    {"minimum", 2, "", kPrimary},
    {"arctan2", 2, "", kPrimary},
    {"negative", 1, "-", kUnary},
    {"abs", 1, "", kPrimary},
    {"sign", 1, "", kPrimary},
    {"exp", 1, "", kPrimary},
    {"expm1", 1, "", kPrimary},
    {"log", 1, "", kPrimary},
    {"log1p", 1, "", kPrimary},
    {"sqrt", 1, "", kPrimary},
    {"rsqrt", 1, "", kPrimary},
    {"sin", 1, "", kPrimary},
    {"cos", 1, "", kPrimary},
    {"tan", 1, "", kPrimary},
    {"tanh", 1, "", kPrimary},
    {"arctan", 1, "", kPrimary},
    {"erf", 1, "", kPrimary},
    {"floor", 1, "", kPrimary},
    {"ceil", 1, "", kPrimary},
    {"round", 1, "", kPrimary},
    {"isnan", 1, "", kPrimary},
    {"isfinite", 1, "", kPrimary},
    {"equal", 2, " == ", kComparison},
    {"not_equal", 2, " != ", kComparison},
    {"less", 2, " < ", kComparison},
    {"less_equal", 2, " <= ", kComparison},
    {"greater", 2, " > ", kComparison},
    {"greater_equal", 2, " >= ", kComparison},
    {"logical_and", 2, "", kPrimary},
    {"logical_or", 2, "", kPrimary},
    {"logical_not", 1, "", kPrimary},
    {"where", 3, "", kPrimary},
}};

const OpInfo& info(ScalarOp op) { return kOps[static_cast<size_t>(op)]; }

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return std::string(buffer.data(), end);
}

// Prints an expression; values that are used more than once, or nested too deep to read, get names.
class Printer {
 public:
  explicit Printer(const ScalarExpr& expr) : expr_(expr), uses_(expr.code.size()) {
    for (const ScalarInstruction& instruction : expr.code) {
      const std::array<int32_t, 3> all = {instruction.a, instruction.b, instruction.c};
      for (int i = 0; i < arity(instruction.op); ++i) {
        ++uses_[static_cast<size_t>(all[static_cast<size_t>(i)])];
      }
    }
    for (int32_t output : expr.outputs) ++uses_[static_cast<size_t>(output)];
  }

  std::string print() {
    std::string result;
    pieces_.reserve(expr_.code.size());
    int names = 0;
    for (size_t i = 0; i < expr_.code.size(); ++i) {
      Piece piece = print_one(expr_.code[i]);
      const bool leaf = arity(expr_.code[i].op) == 0;
      if (!leaf && (uses_[i] > 1 || piece.depth > kMaxDepth)) {
        const std::string name = "t" + std::to_string(names++);
        result += name + " = " + piece.text + "; ";
        piece = {name, kPrimary, 0};
      }
      pieces_.push_back(std::move(piece));
    }
    for (size_t i = 0; i < expr_.outputs.size(); ++i) {
      if (i > 0) result += ", ";
      result += pieces_[static_cast<size_t>(expr_.outputs[i])].text;
    }
    return result;
  }

 private:
  static constexpr int kMaxDepth = 12;

  struct Piece {
    std::string text;
    int precedence;
    int depth;
  };

  std::string operand(int32_t index, int min_precedence) const {
    const Piece& piece = pieces_[static_cast<size_t>(index)];
    return piece.precedence < min_precedence ? "(" + piece.text + ")" : piece.text;
  }

  Piece print_one(const ScalarInstruction& in) const {
    if (in.op == ScalarOp::Input) {
      return {"i" + std::to_string(static_cast<int>(in.value)), kPrimary, 0};
    }
    if (in.op == ScalarOp::Constant) {
      return {number_text(in.value), std::signbit(in.value) ? kUnary : kPrimary, 0};
    }
    const OpInfo& op = info(in.op);
    const std::array<int32_t, 3> all = {in.a, in.b, in.c};
    int depth = 0;
    for (int i = 0; i < op.arity; ++i) {
      const int32_t index = all[static_cast<size_t>(i)];
      depth = std::max(depth, pieces_[static_cast<size_t>(index)].depth + 1);
    }
    if (op.precedence == kUnary) return {"-" + operand(in.a, kUnary), kUnary, depth};
    if (!op.infix.empty()) {
      const int left = op.precedence == kComparison ? kAdditive : op.precedence;
      return {operand(in.a, left) + std::string(op.infix) + operand(in.b, op.precedence + 1),
              op.precedence, depth};
    }
    std::string text = std::string(op.name) + "(";
    for (int i = 0; i < op.arity; ++i) {
      if (i > 0) text += ", ";
      text += operand(all[static_cast<size_t>(i)], 0);
    }
    return {text + ")", kPrimary, depth};
  }

  const ScalarExpr& expr_;
  std::vector<int> uses_;
  std::vector<Piece> pieces_;
};

double floor_mod(double a, double b) {
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

double floor_divide(double a, double b) {
  if (b == 0) return a / b;
  return std::round((a - floor_mod(a, b)) / b);
}

}  // namespace

bool ScalarInstruction::operator==(const ScalarInstruction& other) const {
  return op == other.op && a == other.a && b == other.b && c == other.c &&
         std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(other.value);
}

int arity(ScalarOp op) { return info(op).arity; }
std::string_view op_name(ScalarOp op) { return info(op).name; }

std::optional<ScalarOp> scalar_op_from_name(std::string_view name) {
  for (size_t i = 0; i < kOps.size(); ++i) {
    if (kOps[i].arity > 0 && kOps[i].name == name) return static_cast<ScalarOp>(i);
  }
  return std::nullopt;
}

ScalarExpr ScalarExpr::parse_canonical(std::string_view text, int32_t num_inputs) {
  std::vector<std::string> names;
  for (int32_t i = 0; i < num_inputs; ++i) names.push_back("i" + std::to_string(i));
  return parse(text, names);
}

int32_t ScalarExpr::num_operations() const {
  return static_cast<int32_t>(std::count_if(
      code.begin(), code.end(), [](const ScalarInstruction& in) { return arity(in.op) > 0; }));
}

std::string ScalarExpr::to_string() const { return Printer(*this).print(); }

double evaluate(ScalarOp op, double a, double b, double c) {
  switch (op) {
    case ScalarOp::Input:
    case ScalarOp::Constant:
      return a;
    case ScalarOp::Add:
      return a + b;
    case ScalarOp::Subtract:
      return a - b;
    case ScalarOp::Multiply:
      return a * b;
    case ScalarOp::Divide:
      return a / b;
    case ScalarOp::FloorDivide:
      return floor_divide(a, b);
    case ScalarOp::Mod:
      return floor_mod(a, b);
    case ScalarOp::Power:
      return std::pow(a, b);
    case ScalarOp::Maximum:
      return std::isnan(a) || a > b ? a : b;
    case ScalarOp::Minimum:
      return std::isnan(a) || a < b ? a : b;
    case ScalarOp::Arctan2:
      return std::atan2(a, b);
    case ScalarOp::Negative:
      return -a;
    case ScalarOp::Abs:
      return std::fabs(a);
    case ScalarOp::Sign:
      return a > 0 ? 1 : a < 0 ? -1 : a;
    case ScalarOp::Exp:
      return std::exp(a);
    case ScalarOp::Expm1:
      return std::expm1(a);
    case ScalarOp::Log:
      return std::log(a);
    case ScalarOp::Log1p:
      return std::log1p(a);
    case ScalarOp::Sqrt:
      return std::sqrt(a);
    case ScalarOp::Rsqrt:
      return 1 / std::sqrt(a);
    case ScalarOp::Sin:
      return std::sin(a);
    case ScalarOp::Cos:
      return std::cos(a);
    case ScalarOp::Tan:
      return std::tan(a);
    case ScalarOp::Tanh:
      return std::tanh(a);
    case ScalarOp::Arctan:
      return std::atan(a);
    case ScalarOp::Erf:
      return std::erf(a);
    case ScalarOp::Floor:
      return std::floor(a);
    case ScalarOp::Ceil:
      return std::ceil(a);
    case ScalarOp::Round:
      return std::nearbyint(a);
    case ScalarOp::IsNan:
      return std::isnan(a);
    case ScalarOp::IsFinite:
      return std::isfinite(a);
    case ScalarOp::Equal:
      return a == b;
    case ScalarOp::NotEqual:
      return a != b;
    case ScalarOp::Less:
      return a < b;
    case ScalarOp::LessEqual:
      return a <= b;
    case ScalarOp::Greater:
      return a > b;
    case ScalarOp::GreaterEqual:
      return a >= b;
    case ScalarOp::LogicalAnd:
      return a != 0 && b != 0;
    case ScalarOp::LogicalOr:
      return a != 0 || b != 0;
    case ScalarOp::LogicalNot:
      return a == 0;
    case ScalarOp::Where:
      return a != 0 ? b : c;
  }
  return a;
}

std::vector<double> evaluate(const ScalarExpr& expr, std::span<const double> inputs) {
  std::vector<double> values(expr.code.size());
  const auto at = [&values](int32_t i) { return i < 0 ? 0 : values[static_cast<size_t>(i)]; };
  for (size_t i = 0; i < expr.code.size(); ++i) {
    const ScalarInstruction& in = expr.code[i];
    if (in.op == ScalarOp::Input) {
      values[i] = inputs[static_cast<size_t>(in.value)];
    } else if (in.op == ScalarOp::Constant) {
      values[i] = in.value;
    } else {
      values[i] = evaluate(in.op, at(in.a), at(in.b), at(in.c));
    }
  }
  std::vector<double> outputs;
  for (int32_t output : expr.outputs) outputs.push_back(at(output));
  return outputs;
}

}  // namespace addax
