#include "ops/axes.h"
#include "ops/checks.h"
#include "ops/compute_class.h"
#include "ops/expr_emitter.h"
#include "ops/registry.h"
#include "ops/softmax.h"

namespace addax {
namespace {

Shape without_last(const Shape& shape) {
  return Shape(shape.dims().first(static_cast<size_t>(shape.rank()) - 1));
}

// Checks logits [..., K] and labels [...]; returns the shape of the labels.
Shape check_labelled(const OpCall& call) {
  require_floating(call, 0);
  require_integer(call, 1);
  require_min_rank(call, 0, 1);
  const Shape& logits = call.inputs[0].shape;
  const Shape& labels = call.inputs[1].shape;
  if (logits[logits.rank() - 1] == 0)
    shape_error(call, "logits of shape " + logits.to_string() + " name no class");
  if (labels != without_last(logits)) {
    shape_error(call, "labels of shape " + labels.to_string() + " do not fit logits of shape " +
                          logits.to_string() + ", which need labels of shape " +
                          without_last(logits).to_string() + "; one-hot targets belong to " +
                          "softmax_cross_entropy");
  }
  return labels;
}

// True at [..., k] where k is the label.
Value label_mask(Emitter& emit, Value labels, int64_t classes) {
  const TensorType type = emit.type(labels);
  Ints dims = to_ints(type.shape);
  dims.push_back(1);
  // Narrow labels would wrap the class numbers around.
  const DType wide = size_of(type.dtype) < 4 ? DType::Int32 : type.dtype;
  const Value numbers = emit.call("iota", {}, {{"shape", Ints{classes}}, {"dtype", wide}});
  return emit.call("equal", {emit.cast(emit.reshape(labels, Shape(dims)), wide), numbers});
}

int64_t last_axis(Emitter& emit, Value x) { return emit.shape(x).rank() - 1; }

std::vector<Value> decompose_sparse(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const TensorType type = emit.type(call.inputs[0]);
  const int64_t axis = type.shape.rank() - 1;
  const int64_t classes = type.shape[static_cast<int>(axis)];
  const DType wide = compute_class(type.dtype);
  // The first word names the op in the message of a failed check.
  const Value labels = emit.call(
      "check_range", {call.inputs[1]},
      {{"low", int64_t{0}}, {"high", classes}, {"what", "sparse_softmax_cross_entropy label"}});
  const SoftmaxParts parts = softmax_parts(emit, emit.cast(call.inputs[0], wide), axis);
  const Value picked = emit_text(emit, "where(mask, -log_probability, 0)",
                                 {{"mask", label_mask(emit, labels, classes)},
                                  {"log_probability", log_softmax_of(emit, parts)}},
                                 wide);
  return {emit.cast(emit.sum(picked, {axis}, false), type.dtype)};
}

std::vector<Value> grad_sparse(const GradCall& call) {
  const Value dloss = call.output_grads[0];
  if (!dloss.valid()) return {Value(), Value()};
  return {
      call.emit.call("sparse_softmax_cross_entropy_grad", {call.inputs[0], call.inputs[1], dloss}),
      Value()};
}

std::vector<Value> decompose_sparse_grad(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const TensorType type = emit.type(call.inputs[0]);
  const int64_t axis = type.shape.rank() - 1;
  const int64_t classes = type.shape[static_cast<int>(axis)];
  const DType wide = compute_class(type.dtype);
  const SoftmaxParts parts = softmax_parts(emit, emit.cast(call.inputs[0], wide), axis);
  const Value dloss =
      emit.reshape(call.inputs[2], with_extent(type.shape, static_cast<int>(axis), 1));
  const Value dlogits = emit_text(emit, "(e / total - mask) * dloss",
                                  {{"e", parts.exponentials},
                                   {"total", parts.total},
                                   {"mask", label_mask(emit, call.inputs[1], classes)},
                                   {"dloss", dloss}},
                                  wide);
  return {emit.cast(dlogits, type.dtype)};
}

std::vector<TensorType> infer_dense(const OpCall& call) {
  const DType dtype = apply_dtype_rule(call);
  require_min_rank(call, 0, 1);
  const Shape& logits = call.inputs[0].shape;
  const Shape& targets = call.inputs[1].shape;
  if (logits != targets || logits[logits.rank() - 1] == 0) {
    shape_error(call, "logits of shape " + logits.to_string() + " and targets of shape " +
                          targets.to_string() +
                          " must have the same shape, with at least one "
                          "class; labels as integers belong to sparse_softmax_cross_entropy");
  }
  return {{dtype, without_last(logits)}};
}

std::vector<Value> decompose_dense(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  const DType wide = compute_class(dtype);
  const int64_t axis = last_axis(emit, call.inputs[0]);
  const SoftmaxParts parts = softmax_parts(emit, emit.cast(call.inputs[0], wide), axis);
  const Value terms = emit_text(
      emit, "-targets * log_probability",
      {{"targets", call.inputs[1]}, {"log_probability", log_softmax_of(emit, parts)}}, wide);
  return {emit.cast(emit.sum(terms, {axis}, false), dtype)};
}

std::vector<Value> grad_dense(const GradCall& call) {
  if (!call.output_grads[0].valid()) return {Value(), Value()};
  Emitter& emit = call.emit;
  const TensorType type = emit.type(call.inputs[0]);
  const DType wide = compute_class(type.dtype);
  const int axis = type.shape.rank() - 1;
  const Value targets = emit.cast(call.inputs[1], wide);
  const Value dloss = emit.reshape(call.output_grads[0], with_extent(type.shape, axis, 1));
  const SoftmaxParts parts = softmax_parts(emit, emit.cast(call.inputs[0], wide), axis);
  const Value weight = emit.sum(targets, {axis}, true);
  const Value dlogits = emit_text(emit, "(e / total * weight - targets) * dloss",
                                  {{"e", parts.exponentials},
                                   {"total", parts.total},
                                   {"weight", weight},
                                   {"targets", targets},
                                   {"dloss", dloss}},
                                  wide);
  const Value dtargets =
      emit_text(emit, "-log_probability * dloss",
                {{"log_probability", log_softmax_of(emit, parts)}, {"dloss", dloss}}, wide);
  return {emit.cast(dlogits, type.dtype), emit.cast(dtargets, type.dtype)};
}

double logits_flops(const OpCall& call) {
  return 5.0 * static_cast<double>(call.inputs[0].shape.num_elements());
}

OpDef check_range_op() {
  OpDef def;
  def.name = "check_range";
  def.doc = "`x` itself; the step fails where an element is outside [low, high).";
  def.is_public = false;
  def.inputs = {"x"};
  def.attrs = {{"low", AttrKind::Int, {}, "Least value allowed."},
               {"high", AttrKind::Int, {}, "Least value too large."},
               {"what", AttrKind::String, {}, "What the elements are, for the message."}};
  def.infer = [](const OpCall& call) -> std::vector<TensorType> {
    require_integer(call, 0);
    return {call.inputs[0]};
  };
  def.flops = [](const OpCall&) { return 0.0; };
  return def;
}

}  // namespace

void register_loss_ops(OpRegistryBuilder& ops) {
  ops.add(check_range_op());

  OpDef sparse;
  sparse.name = "sparse_softmax_cross_entropy";
  sparse.doc = R"(Cross-entropy of `softmax(logits)` against integer labels.

`logits` has shape (..., K) and `labels` (...); a label outside [0, K) is an error, found where the
data are.

>>> ax.ops.sparse_softmax_cross_entropy([[0.0, 1000.0]], [0])
Tensor([1000.], dtype=float32))";
  sparse.inputs = {"logits", "labels"};
  sparse.outputs = {"loss"};
  sparse.infer = [](const OpCall& call) -> std::vector<TensorType> {
    return {{call.inputs[0].dtype, check_labelled(call)}};
  };
  sparse.grad = grad_sparse;
  sparse.decompose = decompose_sparse;
  sparse.flops = logits_flops;
  ops.add(std::move(sparse));

  OpDef sparse_grad;
  sparse_grad.name = "sparse_softmax_cross_entropy_grad";
  sparse_grad.doc = "Gradient of `sparse_softmax_cross_entropy` with respect to the logits.";
  sparse_grad.is_public = false;
  sparse_grad.inputs = {"logits", "labels", "dloss"};
  sparse_grad.outputs = {"dlogits"};
  sparse_grad.infer = [](const OpCall& call) -> std::vector<TensorType> {
    const Shape shape = check_labelled(call);
    require_dtype(call, 2, call.inputs[0].dtype);
    require_shape(call, 2, shape);
    return {call.inputs[0]};
  };
  sparse_grad.decompose = decompose_sparse_grad;
  sparse_grad.flops = logits_flops;
  ops.add(std::move(sparse_grad));

  OpDef dense;
  dense.name = "softmax_cross_entropy";
  dense.doc = R"(Cross-entropy of `softmax(logits)` against probabilities.

>>> ax.ops.softmax_cross_entropy([[0.0, 1000.0]], [[0.5, 0.5]])
Tensor([500.], dtype=float32))";
  dense.inputs = {"logits", "targets"};
  dense.outputs = {"loss"};
  dense.dtype_rule = DTypeRule::Floating;
  dense.infer = infer_dense;
  dense.grad = grad_dense;
  dense.decompose = decompose_dense;
  dense.flops = logits_flops;
  ops.add(std::move(dense));
}

}  // namespace addax
