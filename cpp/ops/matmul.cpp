#include "ops/checks.h"
#include "ops/epilogue.h"
#include "ops/registry.h"

namespace addax {
namespace {

const std::vector<AttrDef> kTransposes = {
    {"transpose_a", AttrKind::Bool, false, "Exchange the last two axes of `a` first."},
    {"transpose_b", AttrKind::Bool, false, "Exchange the last two axes of `b` first."}};

struct Extents {
  int64_t m, n, k;
  Shape batch;
};

Extents matmul_extents(const OpCall& call) {
  require_min_rank(call, 0, 2);
  require_min_rank(call, 1, 2);
  const Shape& a = call.inputs[0].shape;
  const Shape& b = call.inputs[1].shape;
  const int ta = call.attrs.flag("transpose_a") ? 1 : 0;
  const int tb = call.attrs.flag("transpose_b") ? 1 : 0;
  const int64_t k = a[a.rank() - 1 - ta];
  if (b[b.rank() - 2 + tb] != k) {
    shape_error(call, "inner extents differ: " + a.to_string() + (ta != 0 ? " transposed" : "") +
                          " x " + b.to_string() + (tb != 0 ? " transposed" : "") + "; the " +
                          std::to_string(k) + " columns of a need as many rows of b, b has " +
                          std::to_string(b[b.rank() - 2 + tb]));
  }
  const auto batch_of = [](const Shape& shape) {
    return Shape(shape.dims().first(static_cast<size_t>(shape.rank() - 2)));
  };
  const std::optional<Shape> batch = broadcast(batch_of(a), batch_of(b));
  if (!batch) {
    shape_error(call, "batch extents of " + a.to_string() + " and " + b.to_string() +
                          " do not broadcast; reshape or transpose an operand");
  }
  return {a[a.rank() - 2 + ta], b[b.rank() - 1 - tb], k, *batch};
}

Shape matmul_shape(const OpCall& call) {
  const Extents extents = matmul_extents(call);
  Ints dims(extents.batch.begin(), extents.batch.end());
  dims.insert(dims.end(), {extents.m, extents.n});
  return Shape(dims);
}

DType matmul_dtype(const OpCall& call) {
  require_number(call, 0);
  return require_same_dtype(call, 0, 2);
}

std::vector<TensorType> infer_matmul(const OpCall& call) {
  return {{matmul_dtype(call), matmul_shape(call)}};
}

double matmul_flops(const OpCall& call) {
  const Extents extents = matmul_extents(call);
  return 2.0 * static_cast<double>(extents.batch.num_elements()) * static_cast<double>(extents.m) *
         static_cast<double>(extents.n) * static_cast<double>(extents.k);
}

Value multiply(Emitter& emit, Value a, Value b, bool transpose_a, bool transpose_b) {
  return emit.call("matmul", {a, b}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
}

// The operand as one matrix, its leading extents merged.
Value flattened(Emitter& emit, Value x) {
  const Shape shape = emit.shape(x);
  const int64_t columns = shape[shape.rank() - 1];
  int64_t rows = 1;
  for (int i = 0; i + 1 < shape.rank(); ++i) rows *= shape[i];
  return emit.reshape(x, {rows, columns});
}

std::vector<Value> grad_matmul(const GradCall& call) {
  Emitter& emit = call.emit;
  Value a = call.inputs[0];
  const Value b = call.inputs[1];
  Value dy = call.output_grads[0];
  if (!dy.valid() || !is_floating(emit.dtype(a))) return {Value(), Value()};
  const Shape a_shape = emit.shape(a);
  const Shape b_shape = emit.shape(b);
  const bool ta = call.attrs.flag("transpose_a");
  const bool tb = call.attrs.flag("transpose_b");
  // A batch of rows against one matrix is one product: no batch of partial results to add up.
  if (!ta && b_shape.rank() == 2 && a_shape.rank() > 2) {
    a = flattened(emit, a);
    dy = flattened(emit, dy);
  }
  const Value da = ta ? multiply(emit, b, dy, tb, true) : multiply(emit, dy, b, false, !tb);
  const Value db = tb ? multiply(emit, dy, a, true, ta) : multiply(emit, a, dy, !ta, false);
  const bool merged = emit.shape(da).num_elements() == a_shape.num_elements();
  return {merged ? emit.reshape(da, a_shape) : emit.sum_to(da, a_shape), emit.sum_to(db, b_shape)};
}

std::vector<Value> decompose_epilogue(const DecomposeCall& call) {
  Attrs attrs = {{"transpose_a", call.attrs.at("transpose_a")},
                 {"transpose_b", call.attrs.at("transpose_b")}};
  const Value y = call.emit.call("matmul", {call.inputs[0], call.inputs[1]}, std::move(attrs));
  return {emit_epilogue(call, y)};
}

}  // namespace

void register_matmul_ops(OpRegistryBuilder& ops) {
  OpDef matmul;
  matmul.name = "matmul";
  matmul.op_class = OpClass::Contraction;
  matmul.doc = R"(Matrix product over the last two axes; the axes before them broadcast.

>>> ax.ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])
Tensor([[11.]], dtype=float32))";
  matmul.inputs = {"a", "b"};
  matmul.attrs = kTransposes;
  matmul.dtype_rule = DTypeRule::Same;
  matmul.infer = infer_matmul;
  matmul.grad = grad_matmul;
  matmul.flops = matmul_flops;
  ops.add(std::move(matmul));

  OpDef fused;
  fused.name = "matmul_epilogue";
  fused.op_class = OpClass::Contraction;
  fused.doc = "`matmul` followed by an elementwise expression of its result and of `extras`.";
  fused.inputs = {"a", "b", "extras"};
  fused.variadic = true;
  fused.is_public = false;
  fused.attrs = kTransposes;
  fused.attrs.push_back(epilogue_attr());
  fused.infer = [](const OpCall& call) -> std::vector<TensorType> {
    const Shape shape = matmul_shape(call);
    check_epilogue(call, shape);
    return {{matmul_dtype(call), shape}};
  };
  fused.decompose = decompose_epilogue;
  fused.flops = [](const OpCall& call) {
    return matmul_flops(call) + epilogue_flops(call, matmul_shape(call));
  };
  ops.add(std::move(fused));
}

}  // namespace addax
