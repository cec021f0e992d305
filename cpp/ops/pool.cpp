#include <algorithm>
#include <limits>

#include "ops/axes.h"
#include "ops/checks.h"
#include "ops/compute_class.h"
#include "ops/registry.h"
#include "ops/widened_call.h"
#include "ops/window.h"

namespace addax {
namespace {

std::vector<AttrDef> pool_attrs() {
  return {{"pool_size", AttrKind::Ints, {}, "Height and width of the window."},
          {"strides", AttrKind::Ints, {}, "Steps of the window; the pool size when not given."},
          {"padding", AttrKind::Ints, Ints{0, 0, 0, 0},
           "Rows and columns added at top, bottom, "
           "left and right; they never count."}};
}

void resolve_strides(Attrs& attrs, std::span<const TensorType>) {
  if (attrs.has("pool_size") && !attrs.has("strides")) attrs.set("strides", attrs.at("pool_size"));
}

Window pool_window(const Attrs& attrs) {
  const Ints& size = attrs.ints("pool_size");
  return make_window(attrs, {size[0], size[1]});
}

// One element per window of an input of this shape.
Shape pooled_shape(const OpCall& call, const Shape& input) {
  if (input.rank() != 4) {
    shape_error(call, "takes an input of shape (N, H, W, C), got " + input.to_string());
  }
  require_ints(call, "pool_size", 2, 1);
  const Ints& size = call.attrs.ints("pool_size");
  const Window window = make_window(call, {size[0], size[1]});
  for (size_t axis = 0; axis < 2; ++axis) {
    if (window.low[axis] < size[axis] && window.high[axis] < size[axis]) continue;
    argument_error(call, "padding " + to_string(call.attrs.ints("padding")) +
                             " must be smaller than pool_size " + to_string(size) +
                             ", or some windows hold padding only");
  }
  return windows_shape(call, input, window);
}

std::vector<TensorType> infer_max_pool(const OpCall& call) {
  require_number(call, 0);
  return {{call.inputs[0].dtype, pooled_shape(call, call.inputs[0].shape)}};
}

std::vector<TensorType> infer_max_pool_grad(const OpCall& call) {
  require_floating(call, 0);
  require_same_dtype(call, 0, 2);
  require_shape(call, 1, pooled_shape(call, call.inputs[0].shape));
  return {call.inputs[0]};
}

// Of a pooling that numbers the positions of its windows.
Shape argmax_shape(const OpCall& call, const Shape& input) {
  const Shape pooled = pooled_shape(call, input);
  if (!pool_window(call.attrs).is_numbered_by_bytes()) {
    argument_error(call, "numbers the positions of a window from 0 to " +
                             std::to_string(Window::kMostPositions - 1) + ", got a pool_size of " +
                             to_string(call.attrs.ints("pool_size")));
  }
  return pooled;
}

std::vector<TensorType> infer_max_pool_argmax(const OpCall& call) {
  require_number(call, 0);
  const Shape pooled = argmax_shape(call, call.inputs[0].shape);
  return {{call.inputs[0].dtype, pooled}, {DType::UInt8, pooled}};
}

std::vector<TensorType> infer_max_pool_argmax_grad(const OpCall& call) {
  require_floating(call, 0);
  require_dtype(call, 1, DType::UInt8);
  const Shape input = shape_attr(call, "input_shape");
  const Shape pooled = argmax_shape(call, input);
  require_shape(call, 0, pooled);
  require_shape(call, 1, pooled);
  return {{call.inputs[0].dtype, input}};
}

std::vector<TensorType> infer_avg_pool(const OpCall& call) {
  require_floating(call, 0);
  return {{call.inputs[0].dtype, pooled_shape(call, call.inputs[0].shape)}};
}

std::vector<TensorType> infer_avg_pool_grad(const OpCall& call) {
  require_floating(call, 0);
  const Shape input = shape_attr(call, "input_shape");
  require_shape(call, 0, pooled_shape(call, input));
  return {{call.inputs[0].dtype, input}};
}

double window_flops(const OpCall& call, const Shape& pooled) {
  const Ints& size = call.attrs.ints("pool_size");
  return static_cast<double>(pooled.num_elements()) * static_cast<double>(size[0] * size[1]);
}

double window_flops_of_gradient(const OpCall& call) {
  return window_flops(call, call.inputs[0].shape);
}

AttrDef input_shape_attr() { return {"input_shape", AttrKind::Ints, {}, "Shape of the input."}; }

template <typename F>
void for_each_tap(const Window& window, F f) {
  for (int64_t row = 0; row < window.size[0]; ++row) {
    for (int64_t column = 0; column < window.size[1]; ++column) f(row, column);
  }
}

Shape pooled_shape_of(const DecomposeCall& call, const Shape& input) {
  const std::vector<TensorType> types = {{DType::Float32, input}};
  return pooled_shape({call.op, call.attrs, types}, input);
}

Value pad_lowest(Emitter& emit, Value x, const Window& window) {
  return pad_for(emit, x, window, -std::numeric_limits<double>::infinity());
}

std::vector<Value> decompose_max_pool(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  if (is_half(dtype)) return {emit.cast(widened_call(call), dtype)};
  const Window window = pool_window(call.attrs);
  const Shape pooled = pooled_shape_of(call, emit.shape(call.inputs[0]));
  const Value padded = pad_lowest(emit, call.inputs[0], window);
  Value y;
  for_each_tap(window, [&](int64_t row, int64_t column) {
    const Value tap = take_tap(emit, padded, window, {pooled[1], pooled[2]}, row, column);
    y = y.valid() ? emit.maximum(y, tap) : tap;
  });
  return {y};
}

// Each window's gradient goes to the first of its elements that equals the maximum.
std::vector<Value> decompose_max_pool_grad(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  if (is_half(dtype)) return {emit.cast(widened_call(call), dtype)};
  const Value dy = call.inputs[1];
  const Shape input = emit.shape(call.inputs[0]);
  const Shape pooled = emit.shape(dy);
  const Window window = pool_window(call.attrs);
  const Value y = emit.call("max_pool2d", {call.inputs[0]}, call.attrs);
  const Value padded = pad_lowest(emit, call.inputs[0], window);
  const Value zero = emit.scalar(0, emit.dtype(dy));
  Value open;  // windows whose maximum has not been met yet
  Value total;
  for_each_tap(window, [&](int64_t row, int64_t column) {
    const Value tap = take_tap(emit, padded, window, {pooled[1], pooled[2]}, row, column);
    const Value equal = emit.call("equal", {tap, y});
    const Value chosen = open.valid() ? emit.call("logical_and", {equal, open}) : equal;
    const Value missed = emit.call("logical_not", {equal});
    open = open.valid() ? emit.call("logical_and", {open, missed}) : missed;
    const Value part = put_tap(emit, emit.where(chosen, dy, zero), window, input, row, column);
    total = total.valid() ? emit.add(total, part) : part;
  });
  return {total};
}

double position_of(const Window& window, int64_t row, int64_t column) {
  return static_cast<double>(row * window.size[1] + column);
}

std::vector<Value> decompose_max_pool_argmax(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const Value x = call.inputs[0];
  const Window window = pool_window(call.attrs);
  const Value y = emit.call("max_pool2d", {x}, call.attrs);
  const Shape pooled = emit.shape(y);
  const Value padded = pad_lowest(emit, x, window);
  Value argmax = emit.full(0, {DType::UInt8, pooled});
  const auto mark = [&](int64_t row, int64_t column) {
    const Value tap = take_tap(emit, padded, window, {pooled[1], pooled[2]}, row, column);
    const Value position = emit.scalar(position_of(window, row, column), DType::UInt8);
    argmax = emit.where(emit.call("equal", {tap, y}), position, argmax);
  };
  for (int64_t row = window.size[0] - 1; row >= 0; --row) {
    for (int64_t column = window.size[1] - 1; column >= 0; --column) mark(row, column);
  }
  return {y, argmax};
}

std::vector<Value> decompose_max_pool_argmax_grad(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const Value dy = call.inputs[0], argmax = call.inputs[1];
  const DType dtype = emit.dtype(dy);
  if (is_half(dtype)) {
    const Value wide = emit.cast(dy, compute_class(dtype));
    return {emit.cast(emit.call(call.op.name, {wide, argmax}, call.attrs), dtype)};
  }
  const Window window = pool_window(call.attrs);
  const Shape input(call.attrs.ints("input_shape"));
  const Value zero = emit.scalar(0, dtype);
  Value total;
  for_each_tap(window, [&](int64_t row, int64_t column) {
    const Value position = emit.scalar(position_of(window, row, column), DType::UInt8);
    const Value chosen = emit.where(emit.call("equal", {argmax, position}), dy, zero);
    const Value part = put_tap(emit, chosen, window, input, row, column);
    total = total.valid() ? emit.add(total, part) : part;
  });
  return {total};
}

// How many elements of the unpadded input each window holds, as [Ho, Wo, 1].
Value window_counts(Emitter& emit, const Window& window, const Shape& input, const Shape& pooled,
                    DType dtype) {
  if (!window.is_padded()) {
    return emit.scalar(static_cast<double>(window.size[0] * window.size[1]), dtype);
  }
  const auto count = [&](size_t axis, int64_t position) {
    const int64_t first = position * window.strides[axis] - window.low[axis];
    const int64_t end = std::min(first + window.size[axis], input[static_cast<int>(axis) + 1]);
    return end - std::max<int64_t>(first, 0);
  };
  std::vector<double> counts;
  for (int64_t row = 0; row < pooled[1]; ++row) {
    for (int64_t column = 0; column < pooled[2]; ++column) {
      counts.push_back(static_cast<double>(count(0, row) * count(1, column)));
    }
  }
  return emit.constant(make_literal({dtype, {pooled[1], pooled[2], 1}}, counts));
}

std::vector<Value> decompose_avg_pool(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  if (is_half(dtype)) return {emit.cast(widened_call(call), dtype)};
  const TensorType type = emit.type(call.inputs[0]);
  const Window window = pool_window(call.attrs);
  const Shape pooled = pooled_shape_of(call, type.shape);
  const Value padded = pad_for(emit, call.inputs[0], window, 0);
  Value total;
  for_each_tap(window, [&](int64_t row, int64_t column) {
    const Value tap = take_tap(emit, padded, window, {pooled[1], pooled[2]}, row, column);
    total = total.valid() ? emit.add(total, tap) : tap;
  });
  const Value counts = window_counts(emit, window, type.shape, pooled, dtype);
  return {emit.divide(total, counts)};
}

std::vector<Value> decompose_avg_pool_grad(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  if (is_half(dtype)) return {emit.cast(widened_call(call), dtype)};
  const TensorType type = emit.type(call.inputs[0]);
  const Window window = pool_window(call.attrs);
  const Shape input(call.attrs.ints("input_shape"));
  const Value counts = window_counts(emit, window, input, type.shape, dtype);
  const Value share = emit.divide(call.inputs[0], counts);
  Value total;
  for_each_tap(window, [&](int64_t row, int64_t column) {
    const Value part = put_tap(emit, share, window, input, row, column);
    total = total.valid() ? emit.add(total, part) : part;
  });
  return {total};
}

Attrs only_pool_attrs(const Attrs& attrs) {
  Attrs kept;
  for (const AttrDef& attr : pool_attrs()) kept.set(attr.name, attrs.at(attr.name));
  return kept;
}

std::vector<Value> grad_max_pool(const GradCall& call) {
  const Value dy = call.output_grads[0];
  if (!dy.valid() || !is_floating(call.emit.dtype(dy))) return {Value()};
  return {call.emit.call("max_pool2d_grad", {call.inputs[0], dy}, call.attrs)};
}

// The two average pools are each other's adjoint.
std::vector<Value> grad_avg_pool(const GradCall& call) {
  if (!call.output_grads[0].valid()) return {Value()};
  Attrs attrs = call.attrs;
  attrs.set("input_shape", to_ints(call.emit.shape(call.inputs[0])));
  return {call.emit.call("avg_pool2d_grad", {call.output_grads[0]}, std::move(attrs))};
}

std::vector<Value> grad_avg_pool_grad(const GradCall& call) {
  if (!call.output_grads[0].valid()) return {Value()};
  return {call.emit.call("avg_pool2d", {call.output_grads[0]}, only_pool_attrs(call.attrs))};
}

OpDef pooling(std::string name, std::vector<std::string> inputs, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.inputs = std::move(inputs);
  def.doc = std::move(doc);
  def.attrs = pool_attrs();
  def.resolve = resolve_strides;
  def.flops = [](const OpCall& call) {
    return window_flops(call, pooled_shape(call, call.inputs[0].shape));
  };
  return def;
}

}  // namespace

void register_pool_ops(OpRegistryBuilder& ops) {
  OpDef max_pool = pooling("max_pool2d", {"x"},
                           R"(Largest element of each window of images of shape (N, H, W, C).

>>> ax.ops.max_pool2d([[[[1.0], [2.0]], [[3.0], [4.0]]]], pool_size=[2, 2])
Tensor([[[[4.]]]], dtype=float32))");
  max_pool.infer = infer_max_pool;
  max_pool.grad = grad_max_pool;
  max_pool.decompose = decompose_max_pool;
  ops.add(std::move(max_pool));

  OpDef max_pool_grad = pooling("max_pool2d_grad", {"x", "dy"},
                                "Gradient of `max_pool2d`: `dy` at the first maximum of each "
                                "window, by rows.");
  max_pool_grad.is_public = false;
  max_pool_grad.infer = infer_max_pool_grad;
  max_pool_grad.decompose = decompose_max_pool_grad;
  ops.add(std::move(max_pool_grad));

  OpDef max_pool_argmax = pooling("max_pool2d_argmax", {"x"},
                                  "`max_pool2d`, and for each window the position in it, by rows, "
                                  "of its first maximum, as uint8.");
  max_pool_argmax.is_public = false;
  max_pool_argmax.outputs = {"y", "argmax"};
  max_pool_argmax.infer = infer_max_pool_argmax;
  max_pool_argmax.decompose = decompose_max_pool_argmax;
  ops.add(std::move(max_pool_argmax));

  OpDef max_pool_argmax_grad =
      pooling("max_pool2d_argmax_grad", {"dy", "argmax"},
              "Gradient of `max_pool2d`: `dy` at the position `argmax` of each window.");
  max_pool_argmax_grad.is_public = false;
  max_pool_argmax_grad.attrs.push_back(input_shape_attr());
  max_pool_argmax_grad.infer = infer_max_pool_argmax_grad;
  max_pool_argmax_grad.decompose = decompose_max_pool_argmax_grad;
  max_pool_argmax_grad.flops = window_flops_of_gradient;
  ops.add(std::move(max_pool_argmax_grad));

  OpDef avg_pool = pooling("avg_pool2d", {"x"},
                           R"(Mean of each window of images of shape (N, H, W, C), padding left out.

>>> ax.ops.avg_pool2d([[[[1.0], [2.0]], [[3.0], [4.0]]]], pool_size=[2, 2])
Tensor([[[[2.5]]]], dtype=float32))");
  avg_pool.dtype_rule = DTypeRule::Floating;
  avg_pool.infer = infer_avg_pool;
  avg_pool.grad = grad_avg_pool;
  avg_pool.decompose = decompose_avg_pool;
  ops.add(std::move(avg_pool));

  OpDef avg_pool_grad = pooling("avg_pool2d_grad", {"dy"}, "Gradient of `avg_pool2d`.");
  avg_pool_grad.is_public = false;
  avg_pool_grad.attrs.push_back(input_shape_attr());
  avg_pool_grad.infer = infer_avg_pool_grad;
  avg_pool_grad.grad = grad_avg_pool_grad;
  avg_pool_grad.decompose = decompose_avg_pool_grad;
  avg_pool_grad.flops = window_flops_of_gradient;
  ops.add(std::move(avg_pool_grad));
}

}  // namespace addax
