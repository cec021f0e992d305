#include "ops/epilogue.h"

#include "ops/checks.h"
#include "ops/compute_class.h"
#include "ops/expr_emitter.h"

namespace addax {
namespace {

ScalarExpr parse_epilogue(const Attrs& attrs, size_t num_inputs) {
  return ScalarExpr::parse_canonical(attrs.text("epilogue"), static_cast<int32_t>(num_inputs) - 1);
}

}  // namespace

AttrDef epilogue_attr() {
  return {"epilogue", AttrKind::String, {}, "Scalar expression of i0 and the extras i1, i2, ..."};
}

void check_epilogue(const OpCall& call, const Shape& shape) {
  for (size_t i = 2; i < call.inputs.size(); ++i) {
    if (broadcast(call.inputs[i].shape, shape) == shape) continue;
    shape_error(call, input_name(call, i) + " of shape " + call.inputs[i].shape.to_string() +
                          " does not broadcast to the result's shape " + shape.to_string());
  }
  if (parse_epilogue(call.attrs, call.inputs.size()).outputs.size() != 1) {
    argument_error(call, "an epilogue has exactly one output");
  }
}

Value emit_epilogue(const DecomposeCall& call, Value accumulator) {
  const TensorType type = call.emit.type(accumulator);
  std::vector<Value> operands = {accumulator};
  operands.insert(operands.end(), call.inputs.begin() + 2, call.inputs.end());
  const ScalarExpr expr = parse_epilogue(call.attrs, call.inputs.size());
  const Value y = emit_expr(call.emit, expr, operands, compute_class(type.dtype))[0];
  return call.emit.broadcast_to(call.emit.cast(y, type.dtype), type.shape);
}

double epilogue_flops(const OpCall& call, const Shape& shape) {
  const int32_t operations = parse_epilogue(call.attrs, call.inputs.size()).num_operations();
  return operations * static_cast<double>(shape.num_elements());
}

}  // namespace addax
