#include "ops/axes.h"
#include "ops/checks.h"
#include "ops/compute_class.h"
#include "ops/expr_emitter.h"
#include "ops/registry.h"

namespace addax {
namespace {

// Generator state: {seed, counter}.
TensorType state_type() { return {DType::Int64, {2}}; }

void require_state(const OpCall& call, size_t index) {
  require_dtype(call, index, state_type().dtype);
  require_shape(call, index, state_type().shape);
}

std::vector<TensorType> infer_random(const OpCall& call) {
  require_state(call, 0);
  const DType dtype = call.attrs.dtype("dtype");
  if (!is_floating(dtype)) {
    dtype_error(call,
                "draws floating numbers, not " + std::string(name(dtype)) + "; cast the result");
  }
  return {{dtype, shape_attr(call, "shape")}, state_type()};
}

OpDef generator(std::string name, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.op_class = OpClass::Random;
  def.doc = std::move(doc);
  def.inputs = {"state"};
  def.outputs = {"y", "new_state"};
  def.infer = infer_random;
  return def;
}

std::vector<TensorType> infer_dropout(const OpCall& call) {
  require_floating(call, 0);
  require_state(call, 1);
  const double rate = call.attrs.number("rate");
  if (!(rate >= 0 && rate <= 1)) {
    argument_error(call, "rate must be between 0 and 1, got " + to_string(AttrValue(rate)));
  }
  return {call.inputs[0], state_type()};
}

std::vector<Value> decompose_dropout(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const TensorType type = emit.type(call.inputs[0]);
  const double rate = call.attrs.number("rate");
  const std::vector<Value> drawn =
      emit.call_all("random_uniform", std::span(&call.inputs[1], 1),
                    {{"shape", to_ints(type.shape)}, {"dtype", DType::Float32}});
  const Value kept = emit.call("greater_equal", {drawn[0], emit.scalar(rate, DType::Float32)});
  const Value y =
      emit_text(emit, "where(kept, x / (1 - rate), 0)", {{"kept", kept}, {"x", call.inputs[0]}},
                compute_class(type.dtype), {{"rate", rate}});
  return {emit.cast(y, type.dtype), drawn[1]};
}

// The same state draws the same mask again.
std::vector<Value> grad_dropout(const GradCall& call) {
  const Value dy = call.output_grads[0];
  if (!dy.valid()) return {Value(), Value()};
  const std::vector<Value> inputs = {dy, call.inputs[1]};
  return {call.emit.call_all("dropout", inputs, call.attrs)[0], Value()};
}

std::vector<TensorType> infer_batch_indices(const OpCall& call) {
  require_dtype(call, 0, DType::Int64);
  require_shape(call, 0, Shape());
  require_state(call, 1);
  const int64_t n = call.attrs.integer("n");
  const int64_t batch = call.attrs.integer("batch");
  if (batch < 1 || n < batch) {
    argument_error(call, "batch must be between 1 and n, got batch " + std::to_string(batch) +
                             " and n " + std::to_string(n));
  }
  return {{DType::Int64, {batch}}};
}

}  // namespace

void register_random_ops(OpRegistryBuilder& ops) {
  const AttrDef shape = {"shape", AttrKind::Ints, {}, "Shape of the numbers drawn."};
  const AttrDef dtype = {"dtype", AttrKind::DType, DType::Float32, "Dtype of the numbers drawn."};

  OpDef uniform = generator("random_uniform",
                            R"(Numbers spread evenly from `minval` up to, not including, `maxval`.

`state` holds a seed and a counter; the counter of the new state follows the numbers drawn.

>>> state = ax.ops.cast([7, 0], dtype="int64")
>>> y, state = ax.ops.random_uniform(state, shape=[6])
>>> state
Tensor([7, 2], dtype=int64))");
  uniform.attrs = {shape,
                   {"minval", AttrKind::Float, 0.0, "Least number."},
                   {"maxval", AttrKind::Float, 1.0, "Bound that is not reached."},
                   dtype};
  ops.add(std::move(uniform));

  OpDef normal = generator("random_normal", R"(Numbers from a normal distribution.

`state` holds a seed and a counter; the counter of the new state follows the numbers drawn.

>>> state = ax.ops.cast([7, 0], dtype="int64")
>>> y, state = ax.ops.random_normal(state, shape=[6])
>>> state
Tensor([7, 2], dtype=int64))");
  normal.attrs = {shape,
                  {"mean", AttrKind::Float, 0.0, "Mean of the distribution."},
                  {"stddev", AttrKind::Float, 1.0, "Its standard deviation."},
                  {"truncated", AttrKind::Bool, false, "Leave out what is beyond two deviations."},
                  dtype};
  ops.add(std::move(normal));

  OpDef dropout = generator("dropout", R"(0 at random places, `x / (1 - rate)` elsewhere.

>>> state = ax.ops.cast([7, 0], dtype="int64")
>>> y, state = ax.ops.dropout([1.0, 2.0], state, rate=0.0)
>>> y
Tensor([1., 2.], dtype=float32))");
  dropout.inputs = {"x", "state"};
  dropout.attrs = {{"rate", AttrKind::Float, {}, "Share of the elements that become 0."}};
  dropout.infer = infer_dropout;
  dropout.grad = grad_dropout;
  dropout.decompose = decompose_dropout;
  ops.add(std::move(dropout));

  OpDef indices;
  indices.name = "batch_indices";
  indices.op_class = OpClass::Random;
  indices.doc = R"(Which of `n` samples make up batch number `cursor` of a pass over all of them.

With `shuffle` the order is a permutation that `key` (seed and number of the pass) chooses.

>>> cursor = ax.ops.cast(1, dtype="int64")
>>> key = ax.ops.cast([7, 0], dtype="int64")
>>> ax.ops.batch_indices(cursor, key, n=6, batch=2, shuffle=False)
Tensor([2, 3], dtype=int64))";
  indices.inputs = {"cursor", "key"};
  indices.attrs = {{"n", AttrKind::Int, {}, "Number of samples."},
                   {"batch", AttrKind::Int, {}, "Samples in a batch."},
                   {"shuffle", AttrKind::Bool, {}, "Whether the order is a permutation."}};
  indices.infer = infer_batch_indices;
  ops.add(std::move(indices));
}

}  // namespace addax
