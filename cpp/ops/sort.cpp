#include <limits>
#include <utility>

#include "ops/axes.h"
#include "ops/checks.h"
#include "ops/expr_emitter.h"
#include "ops/registry.h"

namespace addax {
namespace {

// The extents before an axis, along it, and behind it.
struct Extents {
  int64_t outer = 1, extent = 1, inner = 1;
};

Extents split_at(const Shape& shape, int axis) {
  Extents extents{.extent = shape[axis]};
  for (int i = 0; i < axis; ++i) extents.outer *= shape[i];
  for (int i = axis + 1; i < shape.rank(); ++i) extents.inner *= shape[i];
  return extents;
}

// 0, 1, 2, ... along one of `rank` axes.
Value count_along(Emitter& emit, int64_t axis, size_t rank, int64_t extent, DType dtype) {
  Ints dims(rank, 1);
  dims[static_cast<size_t>(axis)] = extent;
  return emit.call("iota", {}, {{"shape", dims}, {"axis", axis}, {"dtype", dtype}});
}

// Elements of `x` at positions along an axis; the result has the shape of `indices`, which differs
// from x's along that axis only.
Value take_along(Emitter& emit, Value x, Value indices, int axis) {
  const Shape shape = emit.shape(x);
  const Shape result = emit.shape(indices);
  const auto [outer, extent, inner] = split_at(shape, axis);
  const Value flat =
      emit_text(emit, "(row * extent + index) * inner + column",
                {{"row", count_along(emit, 0, 3, outer, DType::Int64)},
                 {"index", emit.reshape(indices, Shape{outer, result[axis], inner})},
                 {"column", count_along(emit, 2, 3, inner, DType::Int64)}},
                DType::Int64,
                {{"extent", static_cast<double>(extent)}, {"inner", static_cast<double>(inner)}});
  const Value elements = emit.reshape(x, Shape{shape.num_elements()});
  return emit.reshape(emit.call("take", {elements, flat}), result);
}

// The gradient of the first elements in order, or of all of them: each goes back to where it was
// from.
Value unsorted(const GradCall& call, int axis, bool descending) {
  Emitter& emit = call.emit;
  const Shape shape = emit.shape(call.inputs[0]);
  Value dy = call.output_grads[0];
  const int64_t rest = shape[axis] - emit.shape(dy)[axis];
  if (rest > 0) {
    Ints high(static_cast<size_t>(shape.rank()), 0);
    high[static_cast<size_t>(axis)] = rest;
    const Ints low(high.size(), 0);
    dy = emit.call("pad", {dy, emit.scalar(0, emit.dtype(dy))}, {{"low", low}, {"high", high}});
  }
  const Value order =
      emit.call("argsort", {call.inputs[0]}, {{"axis", int64_t{axis}}, {"descending", descending}});
  const Value ranks = emit.call("argsort", {order}, {{"axis", int64_t{axis}}});
  return take_along(emit, dy, ranks, axis);
}

bool has_gradient(const GradCall& call) {
  return call.output_grads[0].valid() && is_floating(call.emit.dtype(call.inputs[0]));
}

int axis_of(const Attrs& attrs) { return static_cast<int>(attrs.integer("axis")); }

// Positions are int32.
void require_countable(const OpCall& call, int axis) {
  const int64_t extent = call.inputs[0].shape[axis];
  if (extent > std::numeric_limits<int32_t>::max()) {
    shape_error(call, "has more elements along axis " + std::to_string(axis) + " of shape " +
                          call.inputs[0].shape.to_string() + " than int32 can count");
  }
}

void require_k(const OpCall& call, size_t input) {
  require_min_rank(call, input, 1);
  const Shape& shape = call.inputs[input].shape;
  const int64_t k = call.attrs.integer("k");
  const int64_t extent = shape[shape.rank() - 1];
  if (k < 1 || k > extent) {
    argument_error(call, "k must be in [1, " + std::to_string(extent) + "] for the last axis of " +
                             input_name(call, input) + " with shape " + shape.to_string() +
                             ", got " + std::to_string(k));
  }
}

// a < b where NaN is the largest number.
Value is_less(Emitter& emit, Value a, Value b) {
  const Value only_b_is_nan =
      emit.call("logical_and", {emit.call("not_equal", {b, b}), emit.call("equal", {a, a})});
  return emit.call("logical_or", {emit.call("less", {a, b}), only_b_is_nan});
}

// An element's rank is the number of elements before it. Where a position in the result equals a
// rank, the position of that element stands.
std::vector<Value> decompose_argsort(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const Shape shape = emit.shape(call.inputs[0]);
  const auto [outer, extent, inner] = split_at(shape, axis_of(call.attrs));
  // Each element against all others of its line: [outer, extent, extent, inner].
  const Shape own{outer, extent, 1, inner}, others{outer, 1, extent, inner};
  const Value own_position = count_along(emit, 1, 4, extent, DType::Int32);
  const Value position = count_along(emit, 2, 4, extent, DType::Int32);
  Value x = emit.reshape(call.inputs[0], own);
  Value y = emit.reshape(call.inputs[0], others);
  if (call.attrs.flag("descending")) std::swap(x, y);
  const Value is_first = is_less(emit, y, x);
  const Value not_behind = emit.call("logical_not", {is_less(emit, x, y)});
  const Value before = emit.call(
      "logical_or",
      {is_first,
       emit.call("logical_and", {not_behind, emit.call("less", {position, own_position})})});
  const Value ranks = emit.sum(emit.cast(before, DType::Int32), {2}, false);
  const Value matches = emit.call("equal", {emit.reshape(ranks, others), own_position});
  const Value found = emit.where(matches, position, emit.scalar(0, DType::Int32));
  return {emit.reshape(emit.sum(found, {2}, false), shape)};
}

OpDef argsort_op() {
  OpDef def;
  def.name = "argsort";
  def.doc = R"(Positions that put elements in ascending order along an axis.

Of equal elements the first stays first. NaN counts as the largest number.

>>> ax.ops.argsort([3.0, 1.0, 2.0])
Tensor([1, 2, 0], dtype=int32))";
  def.inputs = {"x"};
  def.attrs = {{"axis", AttrKind::Axis, int64_t{-1}, "Axis along which elements are put in order."},
               {"descending", AttrKind::Bool, false, "Put the largest element first."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    require_countable(call, axis_of(call.attrs));
    return {{DType::Int32, call.inputs[0].shape}};
  };
  def.decompose = decompose_argsort;
  def.grad = [](const GradCall&) -> std::vector<Value> { return {Value()}; };
  return def;
}

OpDef sort_op() {
  OpDef def;
  def.name = "sort";
  def.doc = R"(Elements in ascending order along an axis.

NaN counts as the largest number.

>>> ax.ops.sort([3.0, 1.0, 2.0])
Tensor([1., 2., 3.], dtype=float32))";
  def.inputs = {"x"};
  def.attrs = {{"axis", AttrKind::Axis, int64_t{-1}, "Axis along which elements are sorted."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    require_countable(call, axis_of(call.attrs));
    return {call.inputs[0]};
  };
  def.decompose = [](const DecomposeCall& call) -> std::vector<Value> {
    const Value x = call.inputs[0];
    const Value order = call.emit.call("argsort", {x}, {{"axis", call.attrs.at("axis")}});
    return {take_along(call.emit, x, order, axis_of(call.attrs))};
  };
  def.grad = [](const GradCall& call) -> std::vector<Value> {
    if (!has_gradient(call)) return {Value()};
    return {unsorted(call, axis_of(call.attrs), false)};
  };
  return def;
}

OpDef top_k_op() {
  OpDef def;
  def.name = "top_k";
  def.doc = R"(The `k` largest elements along the last axis, and their positions.

The largest comes first, and of equal elements the first. NaN counts as the largest number.

>>> values, indices = ax.ops.top_k([1.0, 3.0, 2.0], k=2)
>>> values, indices
(Tensor([3., 2.], dtype=float32), Tensor([1, 2], dtype=int32)))";
  def.inputs = {"x"};
  def.outputs = {"values", "indices"};
  def.attrs = {{"k", AttrKind::Int, {}, "How many elements."},
               {"sorted", AttrKind::Bool, true,
                "Whether the order matters; False allows any, though it is the same one today."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    require_k(call, 0);
    const Shape& shape = call.inputs[0].shape;
    require_countable(call, shape.rank() - 1);
    const Shape result = with_extent(shape, shape.rank() - 1, call.attrs.integer("k"));
    return {{call.inputs[0].dtype, result}, {DType::Int32, result}};
  };
  def.decompose = [](const DecomposeCall& call) -> std::vector<Value> {
    Emitter& emit = call.emit;
    const Value x = call.inputs[0];
    const Shape shape = emit.shape(x);
    const int axis = shape.rank() - 1;
    const Value order = emit.call("argsort", {x}, {{"axis", int64_t{axis}}, {"descending", true}});
    const Shape result = with_extent(shape, axis, call.attrs.integer("k"));
    const Ints ones(static_cast<size_t>(shape.rank()), 1);
    const Value indices =
        emit.call("slice", {order},
                  {{"begin", Ints(ones.size(), 0)}, {"end", to_ints(result)}, {"strides", ones}});
    return {take_along(emit, x, indices, axis), indices};
  };
  def.grad = [](const GradCall& call) -> std::vector<Value> {
    if (!has_gradient(call)) return {Value()};
    return {unsorted(call, call.emit.shape(call.inputs[0]).rank() - 1, true)};
  };
  return def;
}

OpDef in_top_k_op() {
  OpDef def;
  def.name = "in_top_k";
  def.doc = R"(Whether fewer than `k` classes have a larger score than the target.

`predictions` has shape (..., K) and `targets`, numbers of classes, (...). A target outside [0, K)
is an error, found where the data are. NaN counts as larger than any number; a target whose score is
NaN is not among the largest.

>>> ax.ops.in_top_k([1, 0], [[0.1, 0.3, 0.6], [0.2, 0.7, 0.5]], k=2)
Tensor([ True, False], dtype=bool))";
  def.inputs = {"targets", "predictions"};
  def.attrs = {{"k", AttrKind::Int, {}, "How many classes may be as good as the target."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    require_integer(call, 0);
    require_k(call, 1);
    const Shape& shape = call.inputs[1].shape;
    const Shape leading = reduced_shape(shape, {shape.rank() - 1}, false);
    require_shape(call, 0, leading);
    return {{DType::Bool, leading}};
  };
  def.decompose = [](const DecomposeCall& call) -> std::vector<Value> {
    Emitter& emit = call.emit;
    const Value scores = call.inputs[1];
    const Shape shape = emit.shape(scores);
    const int axis = shape.rank() - 1;
    const Value targets =
        emit.call("check_range", {call.inputs[0]},
                  {{"low", int64_t{0}}, {"high", shape[axis]}, {"what", "in_top_k target"}});
    const Value target =
        take_along(emit, scores, emit.reshape(targets, with_extent(shape, axis, 1)), axis);
    const Value larger = emit.call("logical_not", {emit.call("less_equal", {scores, target})});
    const Value count = emit.sum(emit.cast(larger, DType::Int32), {axis}, false);
    const auto k = static_cast<double>(call.attrs.integer("k"));
    return {emit.call("less", {count, emit.scalar(k, DType::Int32)})};
  };
  def.grad = [](const GradCall&) -> std::vector<Value> { return {Value(), Value()}; };
  return def;
}

}  // namespace

void register_sort_ops(OpRegistryBuilder& ops) {
  ops.add(argsort_op());
  ops.add(sort_op());
  ops.add(top_k_op());
  ops.add(in_top_k_op());
}

}  // namespace addax
