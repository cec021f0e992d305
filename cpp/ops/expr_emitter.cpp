#include "ops/expr_emitter.h"

#include <string>

#include "core/error.h"

namespace addax {
namespace {

class ExprEmitter {
 public:
  ExprEmitter(Emitter& emit, DType compute) : emit_(emit), compute_(compute) {}

  std::vector<Value> run(const ScalarExpr& expr, std::span<const Value> inputs) {
    for (const ScalarInstruction& in : expr.code) {
      switch (in.op) {
        case ScalarOp::Input:
          values_.push_back(inputs[static_cast<size_t>(in.value)]);
          break;
        case ScalarOp::Constant:
          values_.push_back(emit_.scalar(in.value, compute_));
          break;
        case ScalarOp::Where:
          values_.push_back(emit_.where(truth(in.a), number(in.b), number(in.c)));
          break;
        case ScalarOp::LogicalAnd:
        case ScalarOp::LogicalOr:
          values_.push_back(emit_.call(op_name(in.op), {truth(in.a), truth(in.b)}));
          break;
        case ScalarOp::LogicalNot:
          values_.push_back(emit_.call(op_name(in.op), {truth(in.a)}));
          break;
        default:
          values_.push_back(arithmetic(in));
      }
    }
    std::vector<Value> outputs;
    for (int32_t output : expr.outputs) outputs.push_back(at(output));
    return outputs;
  }

 private:
  Value at(int32_t index) const { return values_[static_cast<size_t>(index)]; }

  Value number(int32_t index) { return emit_.cast(at(index), compute_); }

  Value truth(int32_t index) {
    const Value value = at(index);
    if (emit_.dtype(value) == DType::Bool) return value;
    return emit_.call("not_equal", {value, emit_.scalar(0, emit_.dtype(value))});
  }

  Value arithmetic(const ScalarInstruction& in) {
    const Value a = number(in.a);
    if (arity(in.op) == 1) return emit_.call(op_name(in.op), {a});
    return emit_.call(op_name(in.op), {a, number(in.b)});
  }

  Emitter& emit_;
  DType compute_;
  std::vector<Value> values_;
};

}  // namespace

std::vector<Value> emit_expr(Emitter& emit, const ScalarExpr& expr, std::span<const Value> inputs,
                             DType compute) {
  return ExprEmitter(emit, compute).run(expr, inputs);
}

Value emit_text(Emitter& emit, std::string_view text, NamedValues values, DType compute,
                const NamedNumbers& numbers) {
  std::vector<std::string> names;
  std::vector<Value> inputs;
  for (const auto& [name, value] : values) {
    names.emplace_back(name);
    inputs.push_back(value);
  }
  const ScalarExpr expr = ScalarExpr::parse(text, names, numbers);
  const std::vector<Value> outputs = emit_expr(emit, expr, inputs, compute);
  if (outputs.size() != 1) {
    throw InternalError("'" + std::string(text) + "' has more than one output");
  }
  return emit.cast(outputs[0], compute);
}

}  // namespace addax
