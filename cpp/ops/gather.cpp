#include "ops/axes.h"
#include "ops/checks.h"
#include "ops/registry.h"

namespace addax {
namespace {

// The shape with the extents of `indices` in place of one axis.
Shape gathered_shape(const Shape& shape, const Shape& indices, int64_t axis) {
  Ints dims = to_ints(shape);
  const auto place = dims.erase(dims.begin() + axis);
  dims.insert(place, indices.begin(), indices.end());
  return Shape(dims);
}

OpDef take_op() {
  OpDef def;
  def.name = "take";
  def.op_class = OpClass::Movement;
  def.doc = R"(Slices of `x` along an axis, at the positions that `indices` name.

An index outside the axis is an error, found where the data are.

>>> ax.ops.take([10.0, 20.0, 30.0], [2, 0])
Tensor([30., 10.], dtype=float32))";
  def.inputs = {"x", "indices"};
  def.attrs = {{"axis", AttrKind::Axis, int64_t{0}, "Axis of `x` that is indexed."},
               {"dtype", AttrKind::DType, {}, "Dtype of the result; that of `x` when not given."}};
  def.resolve = [](Attrs& attrs, std::span<const TensorType> inputs) {
    if (!inputs.empty() && !attrs.has("dtype")) attrs.set("dtype", inputs[0].dtype);
  };
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    require_integer(call, 1);
    const int64_t axis = call.attrs.integer("axis");
    return {{call.attrs.dtype("dtype"),
             gathered_shape(call.inputs[0].shape, call.inputs[1].shape, axis)}};
  };
  def.grad = [](const GradCall& call) -> std::vector<Value> {
    Emitter& emit = call.emit;
    const Value dy = call.output_grads[0];
    const TensorType x = emit.type(call.inputs[0]);
    if (!dy.valid() || !is_floating(x.dtype)) return {Value(), Value()};
    const Value dx = emit.call("scatter_add", {call.inputs[1], emit.cast(dy, x.dtype)},
                               {{"shape", to_ints(x.shape)}, {"axis", call.attrs.at("axis")}});
    return {dx, Value()};
  };
  def.flops = [](const OpCall&) { return 0.0; };
  return def;
}

OpDef scatter_add_op() {
  OpDef def;
  def.name = "scatter_add";
  def.op_class = OpClass::Movement;
  def.doc =
      R"(Zeros, to which slices of `updates` are added along an axis at the positions in `indices`.

Updates of one position are added in the order of the indices.

>>> ax.ops.scatter_add([0, 2, 0], [1.0, 2.0, 3.0], shape=[3])
Tensor([4., 0., 2.], dtype=float32))";
  def.inputs = {"indices", "updates"};
  def.attrs = {{"shape", AttrKind::Ints, {}, "Shape of the result."},
               {"axis", AttrKind::Int, int64_t{0}, "Axis of the result that is indexed."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    require_integer(call, 0);
    require_number(call, 1);
    const Shape shape = shape_attr(call, "shape");
    const int64_t axis = call.attrs.integer("axis");
    if (axis < 0 || axis >= shape.rank()) {
      argument_error(
          call, "axis " + std::to_string(axis) + " is out of range for shape " + shape.to_string());
    }
    require_shape(call, 1, gathered_shape(shape, call.inputs[0].shape, axis));
    return {{call.inputs[1].dtype, shape}};
  };
  def.grad = [](const GradCall& call) -> std::vector<Value> {
    const Value dy = call.output_grads[0];
    if (!dy.valid() || !is_floating(call.emit.dtype(dy))) return {Value(), Value()};
    return {Value(),
            call.emit.call("take", {dy, call.inputs[0]}, {{"axis", call.attrs.at("axis")}})};
  };
  return def;
}

OpDef one_hot_op() {
  OpDef def;
  def.name = "one_hot";
  def.op_class = OpClass::Composite;
  def.doc = R"(1 at the position that an index names on a new last axis, 0 elsewhere.

An index outside [0, `num_classes`) gives zeros only.

>>> ax.ops.one_hot([1], num_classes=3)
Tensor([[0., 1., 0.]], dtype=float32))";
  def.inputs = {"indices"};
  def.attrs = {{"num_classes", AttrKind::Int, {}, "Extent of the new axis."},
               {"dtype", AttrKind::DType, DType::Float32, "Dtype of the result."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    require_integer(call, 0);
    const int64_t classes = call.attrs.integer("num_classes");
    if (classes < 1) {
      argument_error(call, "num_classes must be at least 1, got " + std::to_string(classes));
    }
    Ints dims = to_ints(call.inputs[0].shape);
    dims.push_back(classes);
    return {{call.attrs.dtype("dtype"), Shape(dims)}};
  };
  def.decompose = [](const DecomposeCall& call) -> std::vector<Value> {
    Emitter& emit = call.emit;
    const TensorType indices = emit.type(call.inputs[0]);
    const int64_t classes = call.attrs.integer("num_classes");
    Ints dims = to_ints(indices.shape);
    dims.push_back(1);
    // Narrow indices would wrap the class numbers around.
    const DType wide = size_of(indices.dtype) < 4 ? DType::Int32 : indices.dtype;
    const Value numbers = emit.call("iota", {}, {{"shape", Ints{classes}}, {"dtype", wide}});
    const Value column = emit.cast(emit.reshape(call.inputs[0], Shape(dims)), wide);
    return {emit.cast(emit.call("equal", {column, numbers}), call.attrs.dtype("dtype"))};
  };
  return def;
}

}  // namespace

void register_gather_ops(OpRegistryBuilder& ops) {
  ops.add(take_op());
  ops.add(scatter_add_op());
  ops.add(one_hot_op());
}

}  // namespace addax
