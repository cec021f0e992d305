#include "ops/elementwise.h"

#include <cmath>

#include "ops/checks.h"
#include "ops/expr_emitter.h"

namespace addax {
namespace {

// Attributes of an integer op enter integer arithmetic, where 0.5 or inf would mean something else.
void check_integral_attrs(const OpCall& call) {
  if (!is_integer(call.inputs[0].dtype)) return;
  for (const auto& [name, value] : call.attrs) {
    const double* number = std::get_if<double>(&value);
    if (number == nullptr) continue;
    if (std::fabs(*number) <= 0x1p53 && std::floor(*number) == *number) continue;
    argument_error(call, name + " is " + to_string(value) + " but " + call.op.inputs[0] + " is " +
                             std::string(addax::name(call.inputs[0].dtype)) +
                             "; give an integer, or cast " + call.op.inputs[0] + " to float32");
  }
}

std::vector<TensorType> infer_elementwise(const OpCall& call) {
  const DType dtype = apply_dtype_rule(call);
  if (call.op.dtype_rule == DTypeRule::Same) check_integral_attrs(call);
  return {{dtype, broadcast_inputs(call)}};
}

std::vector<TensorType> infer_number(const OpCall& call) {
  for (size_t i = 0; i < call.inputs.size(); ++i) require_number(call, i);
  return infer_elementwise(call);
}

std::vector<TensorType> infer_float_test(const OpCall& call) {
  require_floating(call, 0);
  return {{DType::Bool, call.inputs[0].shape}};
}

double count_flops(const OpCall& call) {
  const int32_t operations = scalar_expr(call.op, call.attrs).num_operations();
  return operations * static_cast<double>(broadcast_inputs(call).num_elements());
}

std::vector<Value> gradient_of(const GradCall& call, const std::vector<std::string>& gradients) {
  std::vector<Value> grads(call.inputs.size());
  if (!call.output_grads[0].valid()) return grads;
  std::vector<std::string> names = call.op.inputs;
  names.insert(names.end(), {"y", "dy"});
  std::vector<Value> values(call.inputs.begin(), call.inputs.end());
  values.insert(values.end(), {call.outputs[0], call.output_grads[0]});
  const DType compute = call.emit.dtype(call.output_grads[0]);
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (gradients[i].empty() || !is_floating(call.emit.dtype(call.inputs[i]))) continue;
    const ScalarExpr expr = ScalarExpr::parse(gradients[i], names, numeric_attrs(call.attrs));
    const Value full = emit_expr(call.emit, expr, values, compute)[0];
    grads[i] = call.emit.sum_to(full, call.emit.shape(call.inputs[i]));
  }
  return grads;
}

OpDef cast_op() {
  OpDef def;
  def.name = "cast";
  def.op_class = OpClass::Elementwise;
  def.doc = R"(`x` with another dtype.

Floating values are truncated towards zero when they become integers; anything but 0 becomes True.

>>> ax.ops.cast([1.5, -2.5], dtype="int32")
Tensor([ 1, -2], dtype=int32))";
  def.inputs = {"x"};
  def.attrs = {{"dtype", AttrKind::DType, {}, "Dtype of the result."}};
  def.expr = "x";
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    return {{call.attrs.dtype("dtype"), call.inputs[0].shape}};
  };
  def.grad = [](const GradCall& call) -> std::vector<Value> {
    const Value dy = call.output_grads[0];
    const DType from = call.emit.dtype(call.inputs[0]);
    const bool flows = dy.valid() && is_floating(from) && is_floating(call.emit.dtype(dy));
    return {flows ? call.emit.cast(dy, from) : Value()};
  };
  def.flops = [](const OpCall&) { return 0.0; };
  return def;
}

}  // namespace

OpDef elementwise_op(Elementwise record) {
  OpDef def;
  def.name = std::move(record.name);
  def.op_class = OpClass::Elementwise;
  def.doc = std::move(record.doc);
  def.inputs = std::move(record.inputs);
  def.attrs = std::move(record.attrs);
  def.dtype_rule = record.dtype_rule;
  def.expr = std::move(record.expr);
  def.flops = count_flops;
  if (record.dtype_rule == DTypeRule::Any) {
    def.infer = infer_float_test;
  } else {
    const bool numeric = record.dtype_rule == DTypeRule::Same && !record.accepts_bool;
    def.infer = numeric ? infer_number : infer_elementwise;
  }
  if (!record.gradients.empty()) {
    def.grad = [gradients = std::move(record.gradients)](const GradCall& call) {
      return gradient_of(call, gradients);
    };
  }
  return def;
}

void register_elementwise_ops(OpRegistryBuilder& ops) {
  ops.add(cast_op());
  register_arithmetic_ops(ops);
  register_math_ops(ops);
  register_activation_ops(ops);
  register_logic_ops(ops);
}

}  // namespace addax
