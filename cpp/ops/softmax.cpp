#include "ops/softmax.h"

#include "ops/checks.h"
#include "ops/compute_class.h"
#include "ops/expr_emitter.h"
#include "ops/registry.h"

namespace addax {
namespace {

std::vector<TensorType> infer_softmax(const OpCall& call) {
  const Shape& shape = call.inputs[0].shape;
  const int64_t axis = call.attrs.integer("axis");
  if (shape[static_cast<int>(axis)] == 0) {
    shape_error(call, "has no value over the empty axis " + std::to_string(axis) + " of shape " +
                          shape.to_string() + "; check for emptiness first");
  }
  return {{apply_dtype_rule(call), shape}};
}

std::vector<Value> decompose_softmax(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  const Value x = emit.cast(call.inputs[0], compute_class(dtype));
  const SoftmaxParts parts = softmax_parts(emit, x, call.attrs.integer("axis"));
  return {emit.cast(emit.divide(parts.exponentials, parts.total), dtype)};
}

std::vector<Value> grad_softmax(const GradCall& call) {
  const Value dy = call.output_grads[0];
  if (!dy.valid()) return {Value()};
  Emitter& emit = call.emit;
  const Value y = call.outputs[0];
  const Value total = emit.sum(emit.multiply(dy, y), {call.attrs.integer("axis")}, true);
  return {emit_text(emit, "y * (dy - total)", {{"y", y}, {"dy", dy}, {"total", total}},
                    emit.dtype(dy))};
}

std::vector<Value> decompose_log_softmax(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  const Value x = emit.cast(call.inputs[0], compute_class(dtype));
  const SoftmaxParts parts = softmax_parts(emit, x, call.attrs.integer("axis"));
  return {emit.cast(log_softmax_of(emit, parts), dtype)};
}

std::vector<Value> grad_log_softmax(const GradCall& call) {
  const Value dy = call.output_grads[0];
  if (!dy.valid()) return {Value()};
  Emitter& emit = call.emit;
  const Value total = emit.sum(dy, {call.attrs.integer("axis")}, true);
  return {emit_text(emit, "dy - exp(y) * total",
                    {{"dy", dy}, {"y", call.outputs[0]}, {"total", total}}, emit.dtype(dy))};
}

OpDef along_axis(std::string name, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.inputs = {"x"};
  def.doc = std::move(doc);
  def.attrs = {{"axis", AttrKind::Axis, int64_t{-1}, "Axis of the classes."}};
  def.dtype_rule = DTypeRule::Floating;
  def.infer = infer_softmax;
  def.flops = [](const OpCall& call) {
    return 5.0 * static_cast<double>(call.inputs[0].shape.num_elements());
  };
  return def;
}

}  // namespace

SoftmaxParts softmax_parts(Emitter& emit, Value x, int64_t axis) {
  const Value largest = emit.call("max", {x}, {{"axes", Ints{axis}}, {"keepdims", true}});
  const Value shifted = emit.subtract(x, largest);
  const Value exponentials = emit.call("exp", {shifted});
  return {shifted, exponentials, emit.sum(exponentials, {axis}, true)};
}

Value log_softmax_of(Emitter& emit, const SoftmaxParts& parts) {
  return emit.subtract(parts.shifted, emit.call("log", {parts.total}));
}

void register_softmax_ops(OpRegistryBuilder& ops) {
  OpDef softmax = along_axis("softmax", R"(Probabilities in proportion to `exp(x)` along an axis.

>>> ax.ops.softmax([1.0, 1.0])
Tensor([0.5, 0.5], dtype=float32))");
  softmax.grad = grad_softmax;
  softmax.decompose = decompose_softmax;
  ops.add(std::move(softmax));

  OpDef log_softmax =
      along_axis("log_softmax", R"(Logarithm of `softmax`, exact for small probabilities too.

>>> ax.ops.log_softmax([0.0, 1000.0])
Tensor([-1000.,     0.], dtype=float32))");
  log_softmax.grad = grad_log_softmax;
  log_softmax.decompose = decompose_log_softmax;
  ops.add(std::move(log_softmax));
}

}  // namespace addax
