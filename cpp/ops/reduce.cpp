#include <algorithm>

#include "ops/axes.h"
#include "ops/checks.h"
#include "ops/compute_class.h"
#include "ops/expr_emitter.h"
#include "ops/registry.h"

namespace addax {
namespace {

const AttrDef kAxes = {"axes", AttrKind::Axes, {}, "Axes to reduce; all when not given."};
const AttrDef kKeepdims = {"keepdims", AttrKind::Bool, false, "Keep reduced axes with extent 1."};

Shape result_shape(const OpCall& call) {
  return reduced_shape(call.inputs[0].shape, call.attrs.ints("axes"), call.attrs.flag("keepdims"));
}

std::vector<TensorType> infer_sum(const OpCall& call) {
  const DType dtype = call.inputs[0].dtype;
  const bool narrow = dtype == DType::Bool || dtype == DType::UInt8 || dtype == DType::Int8;
  return {{narrow ? DType::Int32 : dtype, result_shape(call)}};
}

std::vector<TensorType> infer_extremum(const OpCall& call) {
  const Shape& shape = call.inputs[0].shape;
  if (reduced_count(shape, call.attrs.ints("axes")) == 0) {
    shape_error(call, "has no value over the empty axes " + to_string(call.attrs.ints("axes")) +
                          " of shape " + shape.to_string() + "; check for emptiness first");
  }
  return {{call.inputs[0].dtype, result_shape(call)}};
}

std::vector<TensorType> infer_by_rule(const OpCall& call) {
  return {{apply_dtype_rule(call), result_shape(call)}};
}

std::vector<TensorType> infer_arg_extremum(const OpCall& call) {
  const Shape& shape = call.inputs[0].shape;
  const int64_t axis = call.attrs.integer("axis");
  if (shape[static_cast<int>(axis)] == 0) {
    shape_error(call, "has no value over the empty axis " + std::to_string(axis) + " of shape " +
                          shape.to_string() + "; check for emptiness first");
  }
  return {{DType::Int32, reduced_shape(shape, {axis}, call.attrs.flag("keepdims"))}};
}

double count_inputs(const OpCall& call) {
  return static_cast<double>(call.inputs[0].shape.num_elements());
}

// A tensor of the reduction's result shape with the reduced axes put back as extents of 1.
Value keep_axes(const GradCall& call, Value reduced) {
  const Shape& shape = call.emit.shape(call.inputs[0]);
  return call.emit.reshape(reduced, reduced_shape(shape, call.attrs.ints("axes"), true));
}

bool has_gradient(const GradCall& call) {
  return call.output_grads[0].valid() && is_floating(call.emit.dtype(call.inputs[0]));
}

std::vector<Value> grad_sum(const GradCall& call) {
  if (!has_gradient(call)) return {Value()};
  const Value dy = keep_axes(call, call.output_grads[0]);
  return {call.emit.broadcast_to(dy, call.emit.shape(call.inputs[0]))};
}

// Equal extrema share the gradient.
std::vector<Value> grad_extremum(const GradCall& call) {
  if (!has_gradient(call)) return {Value()};
  Emitter& emit = call.emit;
  const Value x = call.inputs[0];
  const DType dtype = emit.dtype(x);
  const Value chosen = emit.call("equal", {x, keep_axes(call, call.outputs[0])});
  const Value count = emit.sum(emit.cast(chosen, dtype), call.attrs.ints("axes"), true);
  const Value dy = keep_axes(call, call.output_grads[0]);
  return {emit_text(emit, "where(chosen, dy / count, 0)",
                    {{"chosen", chosen}, {"dy", dy}, {"count", count}}, dtype)};
}

std::vector<Value> grad_prod(const GradCall& call) {
  if (!has_gradient(call)) return {Value()};
  const Value dy = keep_axes(call, call.output_grads[0]);
  return {call.emit.call("prod_grad", {call.inputs[0], dy}, {{"axes", call.attrs.at("axes")}})};
}

// The product of the other elements is y / x, but where one element is 0 the product of the rest
// belongs to it, and where two are 0 nothing is left.
std::vector<Value> decompose_prod_grad(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const Value x = call.inputs[0];
  const DType dtype = emit.dtype(x);
  const Ints& axes = call.attrs.ints("axes");
  const Value others = emit_text(emit, "where(x == 0, 1, x)", {{"x", x}}, dtype);
  const Value product = emit.call("prod", {others}, {{"axes", axes}, {"keepdims", true}});
  const Value zeros = emit.sum(emit_text(emit, "x == 0", {{"x", x}}, dtype), axes, true);
  return {emit_text(emit,
                    "dy * product * where(x == 0, zeros == 1, where(zeros == 0, 1 / others, 0))",
                    {{"dy", call.inputs[1]},
                     {"product", product},
                     {"x", x},
                     {"zeros", zeros},
                     {"others", others}},
                    dtype)};
}

// The decomposition hides from differentiation what depends on elements that are 0. Here element i
// of the product's gradient is the product of row i of a square, x with 1 in place of x[i].
std::vector<Value> grad_prod_grad(const GradCall& call) {
  Emitter& emit = call.emit;
  const Value g = call.output_grads[0];
  if (!g.valid()) return {Value(), Value()};
  const Shape shape = emit.shape(call.inputs[0]);
  const DType dtype = emit.dtype(g);
  const Ints& axes = call.attrs.ints("axes");
  const int64_t n = reduced_count(shape, axes);
  if (n == 0) return {Value(), Value()};
  const Shape rows{shape.num_elements() / n, n};

  Ints last;  // the permutation that puts the reduced axes last, and its inverse
  for (bool reduced : {false, true}) {
    for (int64_t axis = 0; axis < shape.rank(); ++axis) {
      if (std::binary_search(axes.begin(), axes.end(), axis) == reduced) last.push_back(axis);
    }
  }
  Ints back(last.size());
  Ints moved(last.size());
  for (size_t i = 0; i < last.size(); ++i) {
    back[static_cast<size_t>(last[i])] = static_cast<int64_t>(i);
    moved[i] = shape[static_cast<int>(last[i])];
  }
  const auto to_rows = [&](Value value) { return emit.reshape(emit.transpose(value, last), rows); };

  const Value gs = to_rows(g);
  const Value dy = emit.reshape(emit.transpose(call.inputs[1], last), Shape{rows[0], 1});
  const Value x = emit.reshape(to_rows(call.inputs[0]), Shape{rows[0], 1, n});
  const auto index = [&](const Shape& along) {
    return emit.reshape(emit.call("iota", {}, {{"shape", Ints{n}}, {"dtype", DType::Int64}}),
                        along);
  };
  const Value diagonal = emit.call("equal", {index(Shape{n, 1}), index(Shape{1, n})});
  const Value square =
      emit_text(emit, "where(diagonal, 1, x)", {{"diagonal", diagonal}, {"x", x}}, dtype);
  const Value products = emit.call("prod", {square}, {{"axes", Ints{2}}});
  const Value ddy = emit.sum(emit.multiply(gs, products), {1}, true);

  const Value weights = emit.reshape(emit.multiply(gs, dy), Shape{rows[0], n, 1});
  const Value pairs = emit.call("prod_grad", {square, weights}, {{"axes", Ints{2}}});
  const Value dx = emit.sum(emit_text(emit, "where(diagonal, 0, pairs)",
                                      {{"diagonal", diagonal}, {"pairs", pairs}}, dtype),
                            {1}, false);
  return {emit.transpose(emit.reshape(dx, Shape(moved)), back),
          emit.reshape(ddy, emit.shape(call.inputs[1]))};
}

OpDef prod_grad_op() {
  OpDef def;
  def.name = "prod_grad";
  def.doc = "Gradient of `prod`; `dy` has extent 1 in place of the reduced axes.";
  def.is_public = false;
  def.inputs = {"x", "dy"};
  def.attrs = {kAxes};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    require_floating(call, 0);
    require_dtype(call, 1, call.inputs[0].dtype);
    require_shape(call, 1, reduced_shape(call.inputs[0].shape, call.attrs.ints("axes"), true));
    return {call.inputs[0]};
  };
  def.grad = grad_prod_grad;
  def.decompose = decompose_prod_grad;
  return def;
}

OpDef reduction(std::string name, DTypeRule rule, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.op_class = OpClass::Reduce;
  def.doc = std::move(doc);
  def.inputs = {"x"};
  def.attrs = {kAxes, kKeepdims};
  def.dtype_rule = rule;
  def.flops = count_inputs;
  def.infer = infer_by_rule;
  return def;
}

OpDef arg_reduction(std::string name, std::string doc) {
  OpDef def = reduction(std::move(name), DTypeRule::Any, std::move(doc));
  def.attrs = {{"axis", AttrKind::Axis, {}, "Axis to search along."}, kKeepdims};
  def.infer = infer_arg_extremum;
  return def;
}

// float16 sums overflow early, so composites add up in float32.
Value widened(Emitter& emit, Value x) { return emit.cast(x, compute_class(emit.dtype(x))); }

Value emit_mean(Emitter& emit, Value x, const Ints& axes, bool keepdims) {
  const double count = static_cast<double>(reduced_count(emit.shape(x), axes));
  const Value total = emit.sum(x, axes, keepdims);
  return emit.divide(total, emit.scalar(count, emit.dtype(total)));
}

std::vector<Value> decompose_mean(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const Value y = emit_mean(emit, widened(emit, call.inputs[0]), call.attrs.ints("axes"),
                            call.attrs.flag("keepdims"));
  return {emit.cast(y, emit.dtype(call.inputs[0]))};
}

std::vector<Value> decompose_var(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const Ints& axes = call.attrs.ints("axes");
  const Value x = widened(emit, call.inputs[0]);
  const Value deviation = emit.subtract(x, emit_mean(emit, x, axes, true));
  const Value y =
      emit_mean(emit, emit.call("square", {deviation}), axes, call.attrs.flag("keepdims"));
  return {emit.cast(y, emit.dtype(call.inputs[0]))};
}

// The part by way of the mean vanishes, since deviations add up to 0.
std::vector<Value> grad_var(const GradCall& call) {
  if (!has_gradient(call)) return {Value()};
  Emitter& emit = call.emit;
  const Value x = call.inputs[0];
  const Ints& axes = call.attrs.ints("axes");
  const double count = static_cast<double>(reduced_count(emit.shape(x), axes));
  const Value mean = emit.call("mean", {x}, {{"axes", axes}, {"keepdims", true}});
  return {emit_text(emit, "dy * (2 / count) * (x - mean)",
                    {{"dy", keep_axes(call, call.output_grads[0])}, {"x", x}, {"mean", mean}},
                    emit.dtype(x), {{"count", count}})};
}

std::vector<Value> decompose_std(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const Value x = widened(emit, call.inputs[0]);
  const Value y = emit.call("sqrt", {emit.call("var", {x}, call.attrs)});
  return {emit.cast(y, emit.dtype(call.inputs[0]))};
}

// The largest element is taken out, unless it is infinite: inf - inf would be NaN.
std::vector<Value> decompose_logsumexp(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const Ints& axes = call.attrs.ints("axes");
  const Value x = widened(emit, call.inputs[0]);
  const DType dtype = emit.dtype(x);
  const Value largest = emit.call("max", {x}, {{"axes", axes}, {"keepdims", true}});
  const Value offset = emit_text(emit, "where(isfinite(m), m, 0)", {{"m", largest}}, dtype);
  const Value total = emit.sum(emit.call("exp", {emit.subtract(x, offset)}), axes, true);
  const Value kept = emit_text(emit, "log(total) + m", {{"total", total}, {"m", offset}}, dtype);
  const Shape shape = reduced_shape(emit.shape(x), axes, call.attrs.flag("keepdims"));
  return {emit.cast(emit.reshape(kept, shape), emit.dtype(call.inputs[0]))};
}

std::vector<Value> grad_logsumexp(const GradCall& call) {
  if (!has_gradient(call)) return {Value()};
  return {emit_text(call.emit, "dy * exp(x - where(isfinite(y), y, 0))",
                    {{"dy", keep_axes(call, call.output_grads[0])},
                     {"x", call.inputs[0]},
                     {"y", keep_axes(call, call.outputs[0])}},
                    call.emit.dtype(call.inputs[0]))};
}

OpDef composite(std::string name, std::string doc,
                std::vector<Value> (*decompose)(const DecomposeCall&), double flops_per_element) {
  OpDef def = reduction(std::move(name), DTypeRule::Floating, std::move(doc));
  def.op_class = OpClass::Composite;
  def.decompose = decompose;
  def.flops = [flops_per_element](const OpCall& call) {
    return flops_per_element * count_inputs(call);
  };
  return def;
}

void register_primitives(OpRegistryBuilder& ops) {
  OpDef sum =
      reduction("sum", DTypeRule::Any, R"(Sum over axes. Sums of bool, int8 and uint8 are int32.

>>> ax.ops.sum([[1.0, 2.0], [3.0, 4.0]], axes=[0])
Tensor([4., 6.], dtype=float32))");
  sum.infer = infer_sum;
  sum.grad = grad_sum;
  ops.add(std::move(sum));

  OpDef prod = reduction("prod", DTypeRule::Any,
                         R"(Product over axes. Products of bool, int8 and uint8 are int32.

>>> ax.ops.prod([[1.0, 2.0], [3.0, 4.0]], axes=[0])
Tensor([3., 8.], dtype=float32))");
  prod.infer = infer_sum;
  prod.grad = grad_prod;
  ops.add(std::move(prod));
  ops.add(prod_grad_op());

  OpDef max = reduction("max", DTypeRule::Any,
                        R"(Largest element over axes; NaN if there is one. Ties share the gradient.

>>> ax.ops.max([[1.0, 2.0], [3.0, 0.0]], axes=[0])
Tensor([3., 2.], dtype=float32))");
  max.infer = infer_extremum;
  max.grad = grad_extremum;
  ops.add(std::move(max));

  OpDef min = reduction("min", DTypeRule::Any,
                        R"(Smallest element over axes; NaN if there is one. Ties share the gradient.

>>> ax.ops.min([[1.0, 2.0], [3.0, 0.0]], axes=[0])
Tensor([1., 0.], dtype=float32))");
  min.infer = infer_extremum;
  min.grad = grad_extremum;
  ops.add(std::move(min));

  ops.add(reduction("any", DTypeRule::Logical, R"(Whether any element over axes is True.

>>> ax.ops.any([[True, False], [False, False]], axes=[0])
Tensor([ True, False], dtype=bool))"));

  ops.add(reduction("all", DTypeRule::Logical, R"(Whether all elements over axes are True.

>>> ax.ops.all([[True, False], [True, True]], axes=[0])
Tensor([ True, False], dtype=bool))"));

  ops.add(arg_reduction(
      "argmax", R"(Position of the largest element, the first of equal ones; NaN counts as largest.

>>> ax.ops.argmax([[1.0, 2.0], [3.0, 0.0]], axis=1)
Tensor([1, 0], dtype=int32))"));

  ops.add(arg_reduction(
      "argmin",
      R"(Position of the smallest element, the first of equal ones; NaN counts as smallest.

>>> ax.ops.argmin([[1.0, 2.0], [3.0, 0.0]], axis=1)
Tensor([0, 1], dtype=int32))"));
}

}  // namespace

void register_reduce_ops(OpRegistryBuilder& ops) {
  register_primitives(ops);

  ops.add(composite("mean", R"(Arithmetic mean over axes; integers become float32 first.

>>> ax.ops.mean([[1.0, 2.0], [3.0, 4.0]], axes=[0])
Tensor([2., 3.], dtype=float32))",
                    decompose_mean, 1));

  OpDef var = composite("var", R"(Variance over axes: the mean of squared deviations from the mean.

>>> ax.ops.var([[1.0, 2.0], [3.0, 8.0]], axes=[0])
Tensor([1., 9.], dtype=float32))",
                        decompose_var, 4);
  var.grad = grad_var;
  ops.add(std::move(var));

  ops.add(composite("std", R"(Standard deviation over axes: the square root of `var`.

>>> ax.ops.std([[1.0, 2.0], [3.0, 8.0]], axes=[0])
Tensor([1., 3.], dtype=float32))",
                    decompose_std, 4));

  OpDef logsumexp = composite("logsumexp", R"(`log(sum(exp(x)))` over axes, without overflow.

>>> ax.ops.logsumexp([[0.0, 1000.0], [0.0, 5000.0]], axes=[1])
Tensor([1000., 5000.], dtype=float32))",
                              decompose_logsumexp, 4);
  logsumexp.grad = grad_logsumexp;
  ops.add(std::move(logsumexp));
}

}  // namespace addax
