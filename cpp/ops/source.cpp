#include "ops/checks.h"
#include "ops/registry.h"

namespace addax {
namespace {

OpDef iota_op() {
  OpDef def;
  def.name = "iota";
  def.op_class = OpClass::Source;
  def.doc = R"(Positions along an axis: 0, 1, 2, ...

>>> ax.ops.iota(shape=[3], dtype="int32")
Tensor([0, 1, 2], dtype=int32))";
  def.attrs = {{"shape", AttrKind::Ints, {}, "Shape of the result."},
               {"axis", AttrKind::Int, int64_t{0}, "Axis along which it counts."},
               {"dtype", AttrKind::DType, {}, "Dtype of the result, not bool."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    const Shape shape = shape_attr(call, "shape");
    const int64_t axis = call.attrs.integer("axis");
    if (axis < 0 || axis >= shape.rank()) {
      argument_error(
          call, "axis " + std::to_string(axis) + " is out of range for shape " + shape.to_string());
    }
    if (call.attrs.dtype("dtype") == DType::Bool) dtype_error(call, "cannot count in bool");
    return {{call.attrs.dtype("dtype"), shape}};
  };
  return def;
}

OpDef constant_op() {
  OpDef def;
  def.name = "constant";
  def.op_class = OpClass::Source;
  def.doc = "A tensor whose elements are part of the graph.";
  def.is_public = false;
  def.attrs = {{"value", AttrKind::Literal, {}, "The elements."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    const Literal& value = call.attrs.literal("value");
    if (value.data.size() != value.type.bytes()) {
      argument_error(call, "a literal of type " + value.type.to_string() + " needs " +
                               std::to_string(value.type.bytes()) + " bytes, got " +
                               std::to_string(value.data.size()));
    }
    return {value.type};
  };
  def.flops = [](const OpCall&) { return 0.0; };
  return def;
}

}  // namespace

void register_source_ops(OpRegistryBuilder& ops) {
  ops.add(iota_op());
  ops.add(constant_op());
}

}  // namespace addax
