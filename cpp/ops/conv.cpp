#include "ops/axes.h"
#include "ops/checks.h"
#include "ops/compute_class.h"
#include "ops/epilogue.h"
#include "ops/registry.h"
#include "ops/widened_call.h"
#include "ops/window.h"

namespace addax {
namespace {

std::vector<AttrDef> conv_attrs() {
  return {{"strides", AttrKind::Ints, Ints{1, 1}, "Steps of the filter along height and width."},
          {"padding", AttrKind::Ints, Ints{0, 0, 0, 0}, "Zeros at top, bottom, left and right."},
          {"dilations", AttrKind::Ints, Ints{1, 1}, "Distance of neighbouring filter elements."},
          {"groups", AttrKind::Int, int64_t{1}, "Groups of channels that do not mix."}};
}

Attrs only_conv_attrs(const Attrs& attrs) {
  Attrs kept;
  for (const AttrDef& attr : conv_attrs()) kept.set(attr.name, attrs.at(attr.name));
  return kept;
}

// Everything the three convolutions need to know, from the shapes of input and filter.
struct Geometry {
  Shape input;   // [N, H, W, C]
  Shape filter;  // [kh, kw, C / groups, O]
  Shape output;  // [N, Ho, Wo, O]
  Window window;
  int64_t groups;

  int64_t rows() const { return output[0] * output[1] * output[2]; }
  std::array<int64_t, 2> windows() const { return {output[1], output[2]}; }
};

Geometry make_geometry(const OpCall& call, const Shape& input, const Shape& filter) {
  if (input.rank() != 4 || filter.rank() != 4) {
    shape_error(call,
                "takes an input of shape (N, H, W, C) and a filter of shape "
                "(height, width, C / groups, outputs), got " +
                    input.to_string() + " and " + filter.to_string());
  }
  const int64_t groups = call.attrs.integer("groups");
  if (groups < 1 || filter[3] % groups != 0) {
    argument_error(call, "groups must divide the filter's " + std::to_string(filter[3]) +
                             " outputs, got " + std::to_string(groups));
  }
  if (filter[2] * groups != input[3]) {
    shape_error(call, "the input of shape " + input.to_string() + " has " +
                          std::to_string(input[3]) + " channels, the filter of shape " +
                          filter.to_string() + " with groups " + std::to_string(groups) +
                          " takes " + std::to_string(filter[2] * groups));
  }
  const Window window = make_window(call, {filter[0], filter[1]});
  const Shape windows = windows_shape(call, input, window);
  return {input, filter, with_extent(windows, 3, filter[3]), window, groups};
}

Geometry forward_geometry(const OpCall& call) {
  return make_geometry(call, call.inputs[0].shape, call.inputs[1].shape);
}
Geometry input_grad_geometry(const OpCall& call) {
  return make_geometry(call, shape_attr(call, "input_shape"), call.inputs[1].shape);
}
Geometry filter_grad_geometry(const OpCall& call) {
  return make_geometry(call, call.inputs[0].shape, shape_attr(call, "filter_shape"));
}

// The same on the values of a decomposition, whose types have been checked.
Geometry geometry_of(const DecomposeCall& call, Geometry (*make)(const OpCall&)) {
  const std::vector<TensorType> types = {call.emit.type(call.inputs[0]),
                                         call.emit.type(call.inputs[1])};
  return make({call.op, call.attrs, types});
}

// The images' dtype. A filter may have the wider one that they are summed in: it is then rounded to
// theirs, which spares a pass over it.
DType image_dtype(const OpCall& call) {
  require_floating(call, 0);
  const DType dtype = call.inputs[0].dtype;
  return call.inputs[1].dtype == compute_class(dtype) ? dtype : require_same_dtype(call, 0, 2);
}

// What the sums of products of images are put out in.
DType filter_grad_dtype(const OpCall& call) {
  require_floating(call, 0);
  const DType dtype = require_same_dtype(call, 0, 2);
  return call.attrs.flag("wide") ? compute_class(dtype) : dtype;
}

std::vector<TensorType> infer_conv2d(const OpCall& call) {
  return {{image_dtype(call), forward_geometry(call).output}};
}

std::vector<TensorType> infer_input_grad(const OpCall& call) {
  const Geometry geometry = input_grad_geometry(call);
  require_shape(call, 0, geometry.output);
  return {{image_dtype(call), geometry.input}};
}

std::vector<TensorType> infer_filter_grad(const OpCall& call) {
  const Geometry geometry = filter_grad_geometry(call);
  require_shape(call, 1, geometry.output);
  return {{filter_grad_dtype(call), geometry.filter}};
}

double flops_of(const Geometry& geometry) {
  return 2.0 * static_cast<double>(geometry.output.num_elements()) *
         static_cast<double>(geometry.filter[0] * geometry.filter[1] * geometry.filter[2]);
}

// The three are bilinear, so each one's gradients are the other two.
Value call_conv(const GradCall& call, Value x, Value filter) {
  return call.emit.call("conv2d", {x, filter}, only_conv_attrs(call.attrs));
}
Value call_input_grad(const GradCall& call, Value dy, Value filter, const Shape& input) {
  Attrs attrs = only_conv_attrs(call.attrs);
  attrs.set("input_shape", to_ints(input));
  return call.emit.call("conv2d_input_grad", {dy, filter}, std::move(attrs));
}
Value call_filter_grad(const GradCall& call, Value x, Value dy, Value filter) {
  Attrs attrs = only_conv_attrs(call.attrs);
  attrs.set("filter_shape", to_ints(call.emit.shape(filter)));
  attrs.set("wide", call.emit.dtype(filter) != call.emit.dtype(x));
  return call.emit.call("conv2d_filter_grad", {x, dy}, std::move(attrs));
}

std::vector<Value> grad_conv2d(const GradCall& call) {
  const Value dy = call.output_grads[0];
  if (!dy.valid()) return {Value(), Value()};
  const Value x = call.inputs[0];
  const Value filter = call.inputs[1];
  const Value dx = call_input_grad(call, dy, filter, call.emit.shape(x));
  return {dx, call_filter_grad(call, x, dy, filter)};
}

std::vector<Value> grad_input_grad(const GradCall& call) {
  const Value dx = call.output_grads[0];
  if (!dx.valid()) return {Value(), Value()};
  const Value dy = call.inputs[0];
  const Value filter = call.inputs[1];
  const Value ddy = call_conv(call, dx, filter);
  return {ddy, call_filter_grad(call, dx, dy, filter)};
}

std::vector<Value> grad_filter_grad(const GradCall& call) {
  const Value dfilter = call.output_grads[0];
  if (!dfilter.valid()) return {Value(), Value()};
  const Value x = call.inputs[0];
  const Value dx = call_input_grad(call, call.inputs[1], dfilter, call.emit.shape(x));
  return {dx, call_conv(call, x, dfilter)};
}

// Part `group` of `groups` equal parts of the last axis.
Value group_part(Emitter& emit, Value x, int64_t group, int64_t groups) {
  if (groups == 1) return x;
  const Shape shape = emit.shape(x);
  const size_t last = static_cast<size_t>(shape.rank()) - 1;
  const int64_t extent = shape[shape.rank() - 1] / groups;
  Ints begin(last + 1, 0);
  Ints end = to_ints(shape);
  begin[last] = group * extent;
  end[last] = begin[last] + extent;
  return emit.call("slice", {x}, {{"begin", begin}, {"end", end}});
}

Value join(Emitter& emit, const std::vector<Value>& parts, int64_t axis) {
  if (parts.size() == 1) return parts[0];
  return emit.call_all("concatenate", parts, {{"axis", axis}})[0];
}

// One tap of the filter as a [C / groups, O] matrix.
Value filter_tap(Emitter& emit, Value filter, int64_t row, int64_t column) {
  const Shape shape = emit.shape(filter);
  const Value tap = emit.call(
      "slice", {filter},
      {{"begin", Ints{row, column, 0, 0}}, {"end", Ints{row + 1, column + 1, shape[2], shape[3]}}});
  return emit.reshape(tap, {shape[2], shape[3]});
}

// `a` times `b` for each group of their last axes; results joined along the last axis.
Value grouped_matmul(Emitter& emit, Value a, Value b, int64_t groups, bool transpose_a,
                     bool transpose_b) {
  std::vector<Value> parts;
  for (int64_t group = 0; group < groups; ++group) {
    parts.push_back(emit.call(
        "matmul", {group_part(emit, a, group, groups), group_part(emit, b, group, groups)},
        {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}}));
  }
  return join(emit, parts, 1);
}

template <typename F>
void for_each_tap(const Geometry& geometry, F f) {
  for (int64_t row = 0; row < geometry.filter[0]; ++row) {
    for (int64_t column = 0; column < geometry.filter[1]; ++column) f(row, column);
  }
}

Value plus(Emitter& emit, Value total, Value term) {
  return total.valid() ? emit.add(total, term) : term;
}

std::vector<Value> decompose_conv2d(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  if (is_half(dtype)) return {emit.cast(widened_call(call), dtype)};
  const Geometry geometry = geometry_of(call, forward_geometry);
  const Value padded = pad_for(emit, call.inputs[0], geometry.window, 0);
  const Value filter = call.inputs[1];
  Value total;
  for_each_tap(geometry, [&](int64_t row, int64_t column) {
    const Value tap = take_tap(emit, padded, geometry.window, geometry.windows(), row, column);
    const Value rows = emit.reshape(tap, {geometry.rows(), geometry.input[3]});
    total = plus(emit, total,
                 grouped_matmul(emit, rows, filter_tap(emit, filter, row, column), geometry.groups,
                                false, false));
  });
  return {emit.reshape(total, geometry.output)};
}

std::vector<Value> decompose_input_grad(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  if (is_half(dtype)) return {emit.cast(widened_call(call), dtype)};
  const Geometry geometry = geometry_of(call, input_grad_geometry);
  const Value dy = emit.reshape(call.inputs[0], {geometry.rows(), geometry.output[3]});
  const Value filter = call.inputs[1];
  const Shape tap_shape = with_extent(geometry.output, 3, geometry.input[3]);
  Value total;
  for_each_tap(geometry, [&](int64_t row, int64_t column) {
    const Value rows = grouped_matmul(emit, dy, filter_tap(emit, filter, row, column),
                                      geometry.groups, false, true);
    total = plus(
        emit, total,
        put_tap(emit, emit.reshape(rows, tap_shape), geometry.window, geometry.input, row, column));
  });
  return {total};
}

std::vector<Value> decompose_filter_grad(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  if (is_half(dtype)) {
    const bool wide = call.attrs.flag("wide");
    return {emit.cast(widened_call(call), wide ? compute_class(dtype) : dtype)};
  }
  const Geometry geometry = geometry_of(call, filter_grad_geometry);
  const Value padded = pad_for(emit, call.inputs[0], geometry.window, 0);
  const Value dy = emit.reshape(call.inputs[1], {geometry.rows(), geometry.output[3]});
  std::vector<Value> taps;
  for_each_tap(geometry, [&](int64_t row, int64_t column) {
    const Value tap = take_tap(emit, padded, geometry.window, geometry.windows(), row, column);
    const Value rows = emit.reshape(tap, {geometry.rows(), geometry.input[3]});
    taps.push_back(grouped_matmul(emit, rows, dy, geometry.groups, true, false));
  });
  return {emit.reshape(join(emit, taps, 0), geometry.filter)};
}

OpDef contraction(std::string name, std::vector<std::string> inputs, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.op_class = OpClass::Contraction;
  def.inputs = std::move(inputs);
  def.doc = std::move(doc);
  def.attrs = conv_attrs();
  def.dtype_rule = DTypeRule::Floating;
  return def;
}

// The contraction followed by an elementwise expression of its result.
OpDef with_epilogue(const OpDef& plain) {
  OpDef fused = plain;
  fused.name += "_epilogue";
  fused.doc =
      "`" + plain.name + "` followed by an elementwise expression of its result and of `extras`.";
  fused.inputs.push_back("extras");
  fused.variadic = true;
  fused.is_public = false;
  fused.attrs.push_back(epilogue_attr());
  fused.dtype_rule = DTypeRule::Any;
  fused.infer = [infer = plain.infer](const OpCall& call) {
    const std::vector<TensorType> types = infer(call);
    check_epilogue(call, types[0].shape);
    return types;
  };
  fused.grad = nullptr;
  fused.decompose = [name = plain.name, attrs = plain.attrs](const DecomposeCall& call) {
    Attrs kept;
    for (const AttrDef& attr : attrs) kept.set(attr.name, call.attrs.at(attr.name));
    const Value y = call.emit.call(name, {call.inputs[0], call.inputs[1]}, std::move(kept));
    return std::vector<Value>{emit_epilogue(call, y)};
  };
  fused.flops = [infer = plain.infer, flops = plain.flops](const OpCall& call) {
    return flops(call) + epilogue_flops(call, infer(call)[0].shape);
  };
  return fused;
}

}  // namespace

void register_conv_ops(OpRegistryBuilder& ops) {
  OpDef conv = contraction("conv2d", {"x", "filter"},
                           R"(Two-dimensional convolution (cross-correlation) of images.

`x` has shape (N, H, W, C), `filter` (height, width, C / groups, outputs).

>>> ax.ops.conv2d([[[[1.0], [2.0]], [[3.0], [4.0]]]], [[[[1.0, 10.0]]]], strides=[2, 2])
Tensor([[[[ 1., 10.]]]], dtype=float32))");
  conv.infer = infer_conv2d;
  conv.grad = grad_conv2d;
  conv.decompose = decompose_conv2d;
  conv.flops = [](const OpCall& call) { return flops_of(forward_geometry(call)); };

  ops.add(with_epilogue(conv));
  ops.add(std::move(conv));

  OpDef by_input = contraction("conv2d_input_grad", {"dy", "filter"},
                               "Gradient of `conv2d` with respect to its input.");
  by_input.is_public = false;
  by_input.attrs.push_back({"input_shape", AttrKind::Ints, {}, "Shape of the input."});
  by_input.infer = infer_input_grad;
  by_input.grad = grad_input_grad;
  by_input.decompose = decompose_input_grad;
  by_input.flops = [](const OpCall& call) { return flops_of(input_grad_geometry(call)); };
  ops.add(with_epilogue(by_input));
  ops.add(std::move(by_input));

  OpDef by_filter = contraction("conv2d_filter_grad", {"x", "dy"},
                                "Gradient of `conv2d` with respect to its filter.");
  by_filter.is_public = false;
  by_filter.attrs.push_back({"filter_shape", AttrKind::Ints, {}, "Shape of the filter."});
  by_filter.attrs.push_back(
      {"wide", AttrKind::Bool, false, "Put out the sums of 16-bit products in float32."});
  by_filter.infer = infer_filter_grad;
  by_filter.grad = grad_filter_grad;
  by_filter.decompose = decompose_filter_grad;
  by_filter.flops = [](const OpCall& call) { return flops_of(filter_grad_geometry(call)); };
  ops.add(std::move(by_filter));
}

}  // namespace addax
