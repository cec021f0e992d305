#include <algorithm>
#include <numeric>

#include "ops/axes.h"
#include "ops/checks.h"
#include "ops/registry.h"

namespace addax {
namespace {

OpDef movement(std::string name, std::vector<std::string> inputs, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.op_class = OpClass::Movement;
  def.inputs = std::move(inputs);
  def.doc = std::move(doc);
  def.flops = [](const OpCall&) { return 0.0; };
  return def;
}

// Most gradients here move `dy` back; `f` says how.
template <typename F>
auto one_input_grad(F f) {
  return [f](const GradCall& call) -> std::vector<Value> {
    if (!call.output_grads[0].valid() || !is_floating(call.emit.dtype(call.inputs[0]))) {
      return {Value()};
    }
    return {f(call, call.output_grads[0])};
  };
}

OpDef reshape_op() {
  OpDef def = movement("reshape", {"x"}, R"(The same elements in another shape, in row-major order.

>>> ax._core.ops.reshape([[1.0, 2.0], [3.0, 4.0]], shape=[-1])
Tensor([1., 2., 3., 4.], dtype=float32))");
  def.attrs = {{"shape", AttrKind::Shape, {}, "New shape; one extent may be -1: what is left."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    const Shape& from = call.inputs[0].shape;
    const Shape to = shape_attr(call, "shape");
    if (from.num_elements() != to.num_elements()) {
      shape_error(call, "cannot fit " + from.to_string() + " (" +
                            std::to_string(from.num_elements()) + " elements) into " +
                            to.to_string() + " (" + std::to_string(to.num_elements()) +
                            "); give one extent as -1 to have it computed");
    }
    return {{call.inputs[0].dtype, to}};
  };
  def.grad = one_input_grad([](const GradCall& call, Value dy) {
    return call.emit.reshape(dy, call.emit.shape(call.inputs[0]));
  });
  return def;
}

void resolve_permutation(Attrs& attrs, std::span<const TensorType> inputs) {
  if (inputs.empty()) return;
  const int64_t rank = inputs[0].shape.rank();
  Ints permutation;
  if (attrs.has("permutation")) {
    const Ints* given = std::get_if<Ints>(&attrs.at("permutation"));
    if (given == nullptr) return;
    permutation = *given;
  }
  if (permutation.empty()) {
    for (int64_t i = rank - 1; i >= 0; --i) permutation.push_back(i);
  }
  for (int64_t& axis : permutation) {
    if (axis < 0) axis += rank;
  }
  attrs.set("permutation", std::move(permutation));
}

OpDef transpose_op() {
  OpDef def =
      movement("transpose", {"x"},
               R"(Axes in another order: axis i of the result is axis `permutation[i]` of `x`.

>>> ax.ops.transpose([[1.0, 2.0, 3.0]]).shape
(3, 1))");
  def.attrs = {
      {"permutation", AttrKind::Ints, Ints(), "New order of the axes; empty reverses it."}};
  def.resolve = resolve_permutation;
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    const Shape& from = call.inputs[0].shape;
    const Ints& permutation = call.attrs.ints("permutation");
    Ints sorted = permutation;
    std::sort(sorted.begin(), sorted.end());
    Ints axes(static_cast<size_t>(from.rank()));
    std::iota(axes.begin(), axes.end(), 0);
    if (sorted != axes) {
      argument_error(call, "permutation " + to_string(permutation) + " must name each axis of " +
                               from.to_string() + " once");
    }
    Ints dims;
    for (int64_t axis : permutation) dims.push_back(from[static_cast<int>(axis)]);
    return {{call.inputs[0].dtype, Shape(dims)}};
  };
  def.grad = one_input_grad([](const GradCall& call, Value dy) {
    const Ints& permutation = call.attrs.ints("permutation");
    Ints inverse(permutation.size());
    for (size_t i = 0; i < permutation.size(); ++i) {
      inverse[static_cast<size_t>(permutation[i])] = static_cast<int64_t>(i);
    }
    return call.emit.transpose(dy, std::move(inverse));
  });
  return def;
}

OpDef broadcast_to_op() {
  OpDef def = movement("broadcast_to", {"x"},
                       R"(`x` repeated along axes of extent 1 and along new leading axes.

>>> ax.ops.broadcast_to([1.0], shape=[3])
Tensor([1., 1., 1.], dtype=float32))");
  def.attrs = {{"shape", AttrKind::Ints, {}, "New shape."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    const Shape to = shape_attr(call, "shape");
    if (broadcast(call.inputs[0].shape, to) != to) {
      shape_error(call, call.inputs[0].shape.to_string() + " does not broadcast to " +
                            to.to_string() +
                            "; aligned at the right, its extents must be equal to those or 1");
    }
    return {{call.inputs[0].dtype, to}};
  };
  def.grad = one_input_grad([](const GradCall& call, Value dy) {
    return call.emit.sum_to(dy, call.emit.shape(call.inputs[0]));
  });
  return def;
}

std::vector<TensorType> infer_concatenate(const OpCall& call) {
  const DType dtype = require_same_dtype(call, 0, call.inputs.size());
  const int axis = static_cast<int>(call.attrs.integer("axis"));
  const Shape& first = call.inputs[0].shape;
  int64_t extent = 0;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    const Shape& shape = call.inputs[i].shape;
    const bool fits =
        shape.rank() == first.rank() && with_extent(shape, axis, 0) == with_extent(first, axis, 0);
    if (!fits) {
      shape_error(call, "shapes " + first.to_string() + " and " + shape.to_string() +
                            " differ outside of axis " + std::to_string(axis));
    }
    extent += shape[axis];
  }
  return {{dtype, with_extent(first, axis, extent)}};
}

std::vector<Value> grad_concatenate(const GradCall& call) {
  Emitter& emit = call.emit;
  std::vector<Value> grads(call.inputs.size());
  const Value dy = call.output_grads[0];
  if (!dy.valid() || !is_floating(emit.dtype(dy))) return grads;
  const size_t axis = static_cast<size_t>(call.attrs.integer("axis"));
  Ints begin(static_cast<size_t>(emit.shape(dy).rank()), 0);
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    Ints end = to_ints(emit.shape(dy));
    end[axis] = begin[axis] + emit.shape(call.inputs[i])[static_cast<int>(axis)];
    grads[i] = emit.call("slice", {dy}, {{"begin", begin}, {"end", end}});
    begin[axis] = end[axis];
  }
  return grads;
}

OpDef concatenate_op() {
  OpDef def = movement("concatenate", {"xs"}, R"(Tensors joined along an existing axis.

>>> ax.ops.concatenate([[1.0, 2.0], [3.0]])
Tensor([1., 2., 3.], dtype=float32))");
  def.variadic = true;
  def.dtype_rule = DTypeRule::Same;
  def.attrs = {
      {"axis", AttrKind::Axis, int64_t{0}, "Axis along which the tensors follow each other."}};
  def.infer = infer_concatenate;
  def.grad = grad_concatenate;
  return def;
}

int64_t sliced_extent(int64_t begin, int64_t end, int64_t stride) {
  return end <= begin ? 0 : (end - begin + stride - 1) / stride;
}

// Extent after `interior` zeros are put between elements.
int64_t dilated_extent(int64_t extent, int64_t interior) {
  return extent == 0 ? 0 : (extent - 1) * (interior + 1) + 1;
}

std::vector<TensorType> infer_slice(const OpCall& call) {
  const Shape& from = call.inputs[0].shape;
  const size_t rank = static_cast<size_t>(from.rank());
  require_ints(call, "begin", rank, 0);
  require_ints(call, "end", rank, 0);
  require_ints(call, "strides", rank, 1);
  const Ints& begin = call.attrs.ints("begin");
  const Ints& end = call.attrs.ints("end");
  Ints dims;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t extent = from[static_cast<int>(i)];
    if (begin[i] > extent || end[i] > extent) {
      shape_error(call, "begin " + to_string(begin) + " and end " + to_string(end) +
                            " reach beyond shape " + from.to_string());
    }
    dims.push_back(sliced_extent(begin[i], end[i], call.attrs.ints("strides")[i]));
  }
  return {{call.inputs[0].dtype, Shape(dims)}};
}

Value grad_slice(const GradCall& call, Value dy) {
  Emitter& emit = call.emit;
  const Shape from = emit.shape(call.inputs[0]);
  const Shape to = emit.shape(dy);
  const Ints& begin = call.attrs.ints("begin");
  Ints interior = call.attrs.ints("strides");
  Ints high;
  for (size_t i = 0; i < begin.size(); ++i) {
    const int axis = static_cast<int>(i);
    --interior[i];
    high.push_back(from[axis] - begin[i] - dilated_extent(to[axis], interior[i]));
  }
  return emit.call("pad", {dy, emit.scalar(0, emit.dtype(dy))},
                   {{"low", begin}, {"high", std::move(high)}, {"interior", std::move(interior)}});
}

OpDef slice_op() {
  OpDef def =
      movement("slice", {"x"},
               R"(Every `strides[i]`-th element from `begin[i]` up to, not including, `end[i]`.

>>> ax.ops.slice([1.0, 2.0, 3.0, 4.0], begin=[1], end=[4], strides=[2])
Tensor([2., 4.], dtype=float32))");
  def.attrs = {{"begin", AttrKind::Ints, {}, "First position on each axis."},
               {"end", AttrKind::Ints, {}, "Position on each axis before which to stop."},
               {"strides", AttrKind::Ints, {}, "Step on each axis, positive; 1 when not given."}};
  def.resolve = [](Attrs& attrs, std::span<const TensorType> inputs) {
    if (inputs.empty() || attrs.has("strides")) return;
    attrs.set("strides", Ints(static_cast<size_t>(inputs[0].shape.rank()), 1));
  };
  def.infer = infer_slice;
  def.grad = one_input_grad(grad_slice);
  return def;
}

std::vector<TensorType> infer_pad(const OpCall& call) {
  const Shape& from = call.inputs[0].shape;
  const size_t rank = static_cast<size_t>(from.rank());
  const DType dtype = require_same_dtype(call, 0, 2);
  require_shape(call, 1, Shape());
  const Ints& low = call.attrs.ints("low");
  const Ints& high = call.attrs.ints("high");
  require_ints(call, "interior", rank, 0);
  if (low.size() != rank || high.size() != rank) {
    argument_error(call, "low " + to_string(low) + " and high " + to_string(high) +
                             " must have one number for each axis of " + from.to_string());
  }
  Ints dims;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t extent =
        low[i] + dilated_extent(from[static_cast<int>(i)], call.attrs.ints("interior")[i]) +
        high[i];
    if (extent < 0) {
      shape_error(call, "low " + to_string(low) + " and high " + to_string(high) +
                            " crop more than shape " + from.to_string() + " has");
    }
    dims.push_back(extent);
  }
  return {{dtype, Shape(dims)}};
}

// What lies at the places that x's elements were moved to is theirs; the rest is the value's.
std::vector<Value> grad_pad(const GradCall& call) {
  Emitter& emit = call.emit;
  const Value dy = call.output_grads[0];
  if (!dy.valid() || !is_floating(emit.dtype(dy))) return {Value(), Value()};
  const Shape from = emit.shape(call.inputs[0]);
  Ints low = call.attrs.ints("low");
  Ints high = call.attrs.ints("high");
  Ints strides = call.attrs.ints("interior");
  Ints end;
  for (size_t i = 0; i < low.size(); ++i) {
    end.push_back(dilated_extent(from[static_cast<int>(i)], strides[i]));
    low[i] = -low[i];
    high[i] = -high[i];
    ++strides[i];
  }
  const Value cropped =
      emit.call("pad", {dy, emit.scalar(0, emit.dtype(dy))}, {{"low", low}, {"high", high}});
  const Value dx = emit.call("slice", {cropped},
                             {{"begin", Ints(low.size(), 0)}, {"end", end}, {"strides", strides}});
  const Value total = emit.sum_to(dy, Shape());
  return {dx, emit.subtract(total, emit.sum_to(dx, Shape()))};
}

OpDef pad_op() {
  OpDef def =
      movement("pad", {"x", "value"}, R"(`x` with `value` before, after and between its elements.

>>> ax._core.ops.pad([1.0, 2.0], 0.0, low=[1], high=[2])
Tensor([0., 1., 2., 0., 0.], dtype=float32))");
  def.attrs = {
      {"low", AttrKind::Ints, {}, "How many to put before each axis; negative crops."},
      {"high", AttrKind::Ints, {}, "How many to put after each axis; negative crops."},
      {"interior", AttrKind::Ints, {}, "How many to put between neighbours; 0 when not given."}};
  def.dtype_rule = DTypeRule::Same;
  def.resolve = [](Attrs& attrs, std::span<const TensorType> inputs) {
    if (inputs.empty() || attrs.has("interior")) return;
    attrs.set("interior", Ints(static_cast<size_t>(inputs[0].shape.rank()), 0));
  };
  def.infer = infer_pad;
  def.grad = grad_pad;
  return def;
}

std::vector<TensorType> infer_unchanged(const OpCall& call) { return {call.inputs[0]}; }

OpDef flip_op() {
  OpDef def = movement("flip", {"x"}, R"(Elements in reverse order along axes.

>>> ax.ops.flip([1.0, 2.0, 3.0])
Tensor([3., 2., 1.], dtype=float32))");
  def.attrs = {{"axes", AttrKind::Axes, {}, "Axes to reverse; all when not given."}};
  def.infer = infer_unchanged;
  def.grad = one_input_grad(
      [](const GradCall& call, Value dy) { return call.emit.call("flip", {dy}, call.attrs); });
  return def;
}

OpDef copy_op() {
  OpDef def = movement("copy", {"x"}, "`x` in memory of its own.");
  def.is_public = false;
  def.infer = infer_unchanged;
  def.grad = one_input_grad([](const GradCall&, Value dy) { return dy; });
  return def;
}

}  // namespace

void register_shape_ops(OpRegistryBuilder& ops) {
  ops.add(reshape_op());
  ops.add(transpose_op());
  ops.add(broadcast_to_op());
  ops.add(concatenate_op());
  ops.add(slice_op());
  ops.add(pad_op());
  ops.add(flip_op());
  ops.add(copy_op());
}

}  // namespace addax
