#include "ops/axes.h"
#include "ops/checks.h"
#include "ops/compute_class.h"
#include "ops/expr_emitter.h"
#include "ops/registry.h"

namespace addax {
namespace {

const AttrDef kEpsilon = {"epsilon", AttrKind::Float, 1e-3, "Added to the variance."};

// Parameters have one element per channel, and x's dtype or the wider one that x is computed in.
// Returns their type.
TensorType check_parameters(const OpCall& call) {
  require_floating(call, 0);
  require_min_rank(call, 0, 1);
  const TensorType& x = call.inputs[0];
  const DType dtype = require_same_dtype(call, 1, call.inputs.size());
  if (dtype != x.dtype && dtype != compute_class(x.dtype)) {
    dtype_error(call, "x is " + std::string(name(x.dtype)) + " and gamma " +
                          std::string(name(dtype)) + "; cast the parameters to " +
                          std::string(name(compute_class(x.dtype))));
  }
  const Shape channels = {x.shape[x.shape.rank() - 1]};
  for (size_t i = 1; i < call.inputs.size(); ++i) require_shape(call, i, channels);
  return {dtype, channels};
}

std::vector<TensorType> infer_moments(const OpCall& call) {
  require_floating(call, 0);
  require_min_rank(call, 0, 1);
  const TensorType& x = call.inputs[0];
  const TensorType moment = {compute_class(x.dtype), {x.shape[x.shape.rank() - 1]}};
  return {moment, moment};
}

std::vector<TensorType> infer_train(const OpCall& call) {
  const TensorType parameter = check_parameters(call);
  return {call.inputs[0], parameter, parameter};
}

std::vector<TensorType> infer_apply(const OpCall& call) {
  check_parameters(call);
  return {call.inputs[0]};
}

double samples_of(const Shape& shape) {
  return static_cast<double>(reduced_count(shape, leading_axes(shape)));
}

constexpr std::string_view kNormalize = "(x - mean) * (gamma * rsqrt(variance + epsilon)) + beta";

// The mean over one in kImagesPerShift images.
//
// Sums of (x - shift) and of its square give mean and variance in one reading of x. The mean of m
// out of n samples lies within sqrt(n / m) deviations of that of all, so what cancels in
// E[(x - shift)^2] - E[x - shift]^2 is at most n / m = kImagesPerShift times the variance, and most
// often next to nothing: the variance keeps all but a factor of that of its relative precision,
// however far from zero x lies.
constexpr int64_t kImagesPerShift = 64;

Value mean_of_first(Emitter& emit, Value x, DType wide) {
  const Shape shape = emit.shape(x);
  Value first = x;
  if (shape.rank() > 1) {
    Ints end = to_ints(shape);
    end[0] = (shape[0] + kImagesPerShift - 1) / kImagesPerShift;
    first = emit.call("slice", {x}, {{"begin", Ints(end.size(), 0)}, {"end", end}});
  }
  const Shape part = emit.shape(first);
  const Value sum = emit.sum(emit.cast(first, wide), leading_axes(part), false);
  return emit.divide(sum, emit.scalar(samples_of(part), wide));
}

std::vector<Value> decompose_moments(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const TensorType type = emit.type(call.inputs[0]);
  const DType wide = compute_class(type.dtype);
  const Ints axes = leading_axes(type.shape);
  const Value count = emit.scalar(samples_of(type.shape), wide);
  const Value shift = mean_of_first(emit, call.inputs[0], wide);
  const Value shifted = emit.subtract(emit.cast(call.inputs[0], wide), shift);
  const Value offset = emit.divide(emit.sum(shifted, axes, false), count);
  const Value squares = emit.divide(emit.sum(emit.call("square", {shifted}), axes, false), count);
  const Value variance =
      emit.maximum(emit.subtract(squares, emit.multiply(offset, offset)), emit.scalar(0, wide));
  return {emit.add(shift, offset), variance};
}

// The gradients of mean and variance: share + slope * (x - mean), summed with `dx` where there is
// one.
Value grad_moments(Emitter& emit, Value dx, Value centred, Value dmean, Value dvariance) {
  const TensorType type = emit.type(centred);
  const NamedNumbers numbers = {{"count", samples_of(type.shape)}};
  const auto accumulate = [&](Value part) { dx = dx.valid() ? emit.add(dx, part) : part; };
  if (dmean.valid()) {
    const Value share = emit_text(emit, "dmean / count", {{"dmean", dmean}}, type.dtype, numbers);
    accumulate(emit.broadcast_to(share, type.shape));
  }
  if (dvariance.valid()) {
    accumulate(emit_text(emit, "dvariance * (2 / count) * centred",
                         {{"dvariance", dvariance}, {"centred", centred}}, type.dtype, numbers));
  }
  return dx;
}

std::vector<Value> grad_of_moments(const GradCall& call) {
  Emitter& emit = call.emit;
  const Value x = emit.cast(call.inputs[0], compute_class(emit.dtype(call.inputs[0])));
  const Value centred = emit.subtract(x, call.outputs[0]);
  const Value dx = grad_moments(emit, {}, centred, call.output_grads[0], call.output_grads[1]);
  return {dx.valid() ? emit.cast(dx, emit.dtype(call.inputs[0])) : dx};
}

std::vector<Value> decompose_train(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  const DType parameters = emit.dtype(call.inputs[1]);
  const DType wide = compute_class(dtype);
  const std::vector<Value> moments = emit.call_all("batch_moments", call.inputs.first(1));
  const Value y = emit_text(emit, kNormalize,
                            {{"x", emit.cast(call.inputs[0], wide)},
                             {"mean", moments[0]},
                             {"variance", moments[1]},
                             {"gamma", call.inputs[1]},
                             {"beta", call.inputs[2]}},
                            wide, numeric_attrs(call.attrs));
  return {emit.cast(y, dtype), emit.cast(moments[0], parameters),
          emit.cast(moments[1], parameters)};
}

std::vector<Value> grad_train(const GradCall& call) {
  Emitter& emit = call.emit;
  const TensorType type = emit.type(call.inputs[0]);
  const DType parameters = emit.dtype(call.inputs[1]);
  const DType wide = compute_class(type.dtype);
  const Ints axes = leading_axes(type.shape);
  const NamedNumbers numbers = {{"epsilon", call.attrs.number("epsilon")},
                                {"count", samples_of(type.shape)}};
  const Value gamma = emit.cast(call.inputs[1], wide);
  const Value mean = emit.cast(call.outputs[1], wide);
  const Value centred = emit.subtract(emit.cast(call.inputs[0], wide), mean);
  const Value scale =
      emit_text(emit, "rsqrt(variance + epsilon)", {{"variance", call.outputs[2]}}, wide, numbers);
  Value dx, dgamma, dbeta;
  if (call.output_grads[0].valid()) {
    const Value dy = emit.cast(call.output_grads[0], wide);
    // What does not vary within a channel stays out of the loops over x.
    dbeta = emit.sum(dy, axes, false);
    dgamma = emit.multiply(emit.sum(emit.multiply(dy, centred), axes, false), scale);
    const Value share = emit_text(emit, "dbeta / count", {{"dbeta", dbeta}}, wide, numbers);
    const Value slope = emit_text(emit, "dgamma * scale / count",
                                  {{"dgamma", dgamma}, {"scale", scale}}, wide, numbers);
    dx = emit_text(emit, "gamma * scale * (dy - share - centred * slope)",
                   {{"gamma", gamma},
                    {"scale", scale},
                    {"dy", dy},
                    {"share", share},
                    {"centred", centred},
                    {"slope", slope}},
                   wide, numbers);
  }
  dx = grad_moments(emit, dx, centred, call.output_grads[1], call.output_grads[2]);
  if (dx.valid()) dx = emit.cast(dx, type.dtype);
  if (dgamma.valid()) dgamma = emit.cast(dgamma, parameters);
  if (dbeta.valid()) dbeta = emit.cast(dbeta, parameters);
  return {dx, dgamma, dbeta};
}

std::vector<Value> decompose_apply(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const DType dtype = emit.dtype(call.inputs[0]);
  const Value y = emit_text(emit, kNormalize,
                            {{"x", call.inputs[0]},
                             {"gamma", call.inputs[1]},
                             {"beta", call.inputs[2]},
                             {"mean", call.inputs[3]},
                             {"variance", call.inputs[4]}},
                            compute_class(dtype), numeric_attrs(call.attrs));
  return {emit.cast(y, dtype)};
}

}  // namespace

void register_norm_ops(OpRegistryBuilder& ops) {
  OpDef moments;
  moments.name = "batch_moments";
  moments.doc = R"(The mean and the (biased) variance of `x` over all axes but the last.

Of 16-bit numbers they are float32.

>>> mean, variance = ax.ops.batch_moments([[1.0, 0.0], [3.0, 0.0]])
>>> mean, variance
(Tensor([2., 0.], dtype=float32), Tensor([1., 0.], dtype=float32)))";
  moments.inputs = {"x"};
  moments.outputs = {"mean", "variance"};
  moments.infer = infer_moments;
  moments.grad = grad_of_moments;
  moments.decompose = decompose_moments;
  moments.flops = [](const OpCall& call) {
    return 4.0 * static_cast<double>(call.inputs[0].shape.num_elements());
  };
  ops.add(std::move(moments));

  OpDef train;
  train.name = "batch_norm_train";
  train.doc = R"(`x` shifted and scaled to mean `beta` and deviation `gamma` for each channel.

Returns the result, and the mean and the (biased) variance of `x` over all axes but the last.

>>> y, mean, variance = ax.ops.batch_norm_train([[1.0], [3.0]], [1.0], [0.0])
>>> mean
Tensor([2.], dtype=float32))";
  train.inputs = {"x", "gamma", "beta"};
  train.outputs = {"y", "mean", "variance"};
  train.attrs = {kEpsilon};
  train.infer = infer_train;
  train.grad = grad_train;
  train.decompose = decompose_train;
  train.flops = [](const OpCall& call) {
    return 7.0 * static_cast<double>(call.inputs[0].shape.num_elements());
  };
  ops.add(std::move(train));

  OpDef apply;
  apply.name = "batch_norm";
  apply.doc = R"(`(x - mean) / sqrt(variance + epsilon) * gamma + beta` for each channel.

>>> ax.ops.batch_norm([[4.0], [8.0]], [1.0], [0.0], [4.0], [4.0], epsilon=0.0)
Tensor([[0.],
        [2.]], dtype=float32))";
  apply.inputs = {"x", "gamma", "beta", "mean", "variance"};
  apply.attrs = {kEpsilon};
  apply.infer = infer_apply;
  apply.decompose = decompose_apply;
  apply.flops = [](const OpCall& call) {
    return 2.0 * static_cast<double>(call.inputs[0].shape.num_elements());
  };
  ops.add(std::move(apply));
}

}  // namespace addax
