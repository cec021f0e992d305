#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace addax {

// The operations of scalar expressions. Each is also the name (in lower case, `op_name`) of a
// public elementwise op. Comparisons and logic give 1 or 0 in the type that they are computed in.
// Integer division and modulo round towards minus infinity, as NumPy's // and % do.
enum class ScalarOp : uint8_t {
  Input,     // value = which input
  Constant,  // value = the number
  Add,
  Subtract,
  Multiply,
  Divide,
  FloorDivide,
  Mod,
  Power,
  Maximum,
  Minimum,
  Arctan2,
  Negative,
  Abs,
  Sign,
  Exp,
  Expm1,
  Log,
  Log1p,
  Sqrt,
  Rsqrt,
  Sin,
  Cos,
  Tan,
  Tanh,
  Arctan,
  Erf,
  Floor,
  Ceil,
  Round,
  IsNan,
  IsFinite,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  LogicalAnd,
  LogicalOr,
  LogicalNot,
  Where,  // where(condition, a, b)
};

inline constexpr int kNumScalarOps = static_cast<int>(ScalarOp::Where) + 1;

struct ScalarInstruction {
  ScalarOp op;
  int32_t a = -1;  // operands: indices of earlier instructions
  int32_t b = -1;
  int32_t c = -1;
  double value = 0;

  // Compares the bits of `value`, so that NaN equals itself and -0 differs from 0.
  bool operator==(const ScalarInstruction& other) const;
};

// A pure function of scalars in SSA form: what an elementwise op computes per element. The CPU's
// fused-loop interpreter and GPU source renderers both read it.
//
// Text: infix with the usual precedence; `name = expression;` bindings first, then the outputs
// separated by commas. Functions are the op names above. Example, two outputs sharing a value:
//     "t = exp(-abs(x)); where(x >= 0, 1, t) / (1 + t), log1p(t)"
// Binding tightest first: unary -, then * / // %, then + -, then one of == != < <= > >=. `inf` and
// `nan` are numbers.
struct ScalarExpr {
  int32_t num_inputs = 0;
  std::vector<ScalarInstruction> code;  // the first num_inputs are Input 0, 1, ...
  std::vector<int32_t> outputs;         // indices into code

  // Names in `inputs` become Input i; names in `constants` are replaced by their numbers. Equal
  // subexpressions are shared and constants folded. Throws InvalidArgumentError with the position.
  static ScalarExpr parse(std::string_view text, std::span<const std::string> inputs,
                          const std::map<std::string, double, std::less<>>& constants = {});

  // Reads what to_string() writes: the inputs are called i0, i1, ...
  static ScalarExpr parse_canonical(std::string_view text, int32_t num_inputs);

  // How many operations there are, inputs and constants aside.
  int32_t num_operations() const;

  // Canonical text over inputs i0, i1, ... that parse() reads back to an equal expression, if this
  // one came from parse() or ScalarExprBuilder.
  std::string to_string() const;

  bool operator==(const ScalarExpr&) const = default;
};

int arity(ScalarOp op);
std::string_view op_name(ScalarOp op);  // "floor_divide"; not for Input and Constant
std::optional<ScalarOp> scalar_op_from_name(std::string_view name);

// The value of one operation in double precision; operands beyond the arity are ignored.
double evaluate(ScalarOp op, double a, double b = 0, double c = 0);
// The values of all outputs in double precision.
std::vector<double> evaluate(const ScalarExpr& expr, std::span<const double> inputs);

}  // namespace addax
