#include <cmath>

#include "ops/checks.h"
#include "ops/compute_class.h"
#include "ops/expr_emitter.h"
#include "ops/registry.h"
#include "ops/update_groups.h"

namespace addax {
namespace {

void require_scalar(const OpCall& call, size_t index, DType dtype) {
  require_dtype(call, index, dtype);
  require_shape(call, index, Shape());
}

// Parameters and slots in the order of the outputs.
std::vector<TensorType> infer_groups(const OpCall& call, size_t num_groups) {
  const int64_t count = call.attrs.integer("count");
  if (count < 1) argument_error(call, "count must be at least 1, got " + std::to_string(count));
  const UpdateGroups groups = {call.op.inputs.size() - 1, static_cast<size_t>(count), num_groups};
  if (call.inputs.size() != groups.input(num_groups, 0)) {
    argument_error(call, "takes " + std::to_string(groups.scalars) + " scalars and " +
                             std::to_string(num_groups) + " groups of " + std::to_string(count) +
                             " tensors, got " + std::to_string(call.inputs.size()) + " inputs");
  }
  for (size_t group = 0; group < num_groups; ++group) {
    for (size_t i = 0; i < groups.count; ++i) {
      const TensorType& parameter = call.inputs[groups.input(UpdateGroups::kParameters, i)];
      const TensorType& tensor = call.inputs[groups.input(group, i)];
      if (!is_floating(parameter.dtype)) {
        dtype_error(call, "parameter " + std::to_string(i) + " must be floating, got " +
                              std::string(name(parameter.dtype)));
      }
      if (tensor == parameter) continue;
      shape_error(call, "parameter " + std::to_string(i) + " is " + parameter.to_string() +
                            " but its " +
                            (group == UpdateGroups::kGradients ? "gradient" : "slot") + " is " +
                            tensor.to_string() + "; they must be equal");
    }
  }
  std::vector<TensorType> outputs;
  for (size_t group = 0; group < num_groups; ++group) {
    for (size_t i = 0; i < groups.count && group != UpdateGroups::kGradients; ++i) {
      outputs.push_back(call.inputs[groups.input(group, i)]);
    }
  }
  return outputs;
}

void resolve_count(Attrs& attrs, size_t num_inputs, size_t scalars, size_t groups) {
  if (attrs.has("count") || num_inputs < scalars) return;
  attrs.set("count", static_cast<int64_t>((num_inputs - scalars) / groups));
}

const AttrDef kCount = {"count",
                        AttrKind::Int,
                        {},
                        "Number of parameters; from the inputs when "
                        "not given."};

const AttrDef kWeightDecay = {"weight_decay", AttrKind::Float, 0.0,
                              "How much parameters shrink first, times the learning rate."};

// The parameter that a step starts from: a little smaller where weights decay.
Value decayed(const DecomposeCall& call, Value p, DType wide) {
  const double weight_decay = call.attrs.number("weight_decay");
  if (weight_decay == 0) return p;
  return emit_text(call.emit, "p - lr * weight_decay * p", {{"p", p}, {"lr", call.inputs[0]}}, wide,
                   {{"weight_decay", weight_decay}});
}

size_t sgd_groups(const Attrs& attrs) { return attrs.number("momentum") != 0 ? 3 : 2; }

void resolve_sgd(Attrs& attrs, std::span<const TensorType> inputs) {
  const NamedNumbers numbers = numeric_attrs(attrs);
  const auto momentum = numbers.find("momentum");
  resolve_count(attrs, inputs.size(), 1,
                momentum != numbers.end() && momentum->second != 0 ? 3 : 2);
}

std::vector<TensorType> infer_sgd(const OpCall& call) {
  require_scalar(call, 0, DType::Float32);
  return infer_groups(call, sgd_groups(call.attrs));
}

std::vector<Value> decompose_sgd(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const UpdateGroups groups = update_groups(call.op, call.attrs, call.inputs.size());
  const NamedNumbers numbers = {{"momentum", call.attrs.number("momentum")}};
  std::vector<Value> parameters;
  std::vector<Value> velocities;
  for (size_t i = 0; i < groups.count; ++i) {
    const Value g = call.inputs[groups.input(UpdateGroups::kGradients, i)];
    const DType dtype = emit.dtype(g);
    const DType wide = compute_class(dtype);
    const Value p = decayed(call, call.inputs[groups.input(UpdateGroups::kParameters, i)], wide);
    const Value lr = call.inputs[0];
    if (groups.groups == 2) {
      const Value next = emit_text(emit, "p - lr * g", {{"p", p}, {"lr", lr}, {"g", g}}, wide);
      parameters.push_back(emit.cast(next, dtype));
      continue;
    }
    const Value v =
        emit_text(emit, "momentum * v - lr * g",
                  {{"v", call.inputs[groups.input(2, i)]}, {"lr", lr}, {"g", g}}, wide, numbers);
    const bool nesterov = call.attrs.flag("nesterov");
    const Value next = emit_text(emit, nesterov ? "p + momentum * v - lr * g" : "p + v",
                                 {{"p", p}, {"v", v}, {"lr", lr}, {"g", g}}, wide, numbers);
    parameters.push_back(emit.cast(next, dtype));
    velocities.push_back(emit.cast(v, dtype));
  }
  parameters.insert(parameters.end(), velocities.begin(), velocities.end());
  return parameters;
}

constexpr size_t kAdamGroups = 4;

std::vector<TensorType> infer_adam(const OpCall& call) {
  require_scalar(call, 0, DType::Float32);
  require_scalar(call, 1, DType::Int64);
  return infer_groups(call, kAdamGroups);
}

// 1 - beta^t as -expm1(t log(beta)), which stays exact in float32 while beta^t is close to 1.
Value adam_rate(const DecomposeCall& call) {
  const double log_beta_1 = std::log(call.attrs.number("beta_1"));
  const double log_beta_2 = std::log(call.attrs.number("beta_2"));
  Emitter& emit = call.emit;
  const Value t = emit.add(call.inputs[1], emit.scalar(1, DType::Int64));
  return emit_text(emit, "lr * sqrt(-expm1(t * log_beta_2)) / -expm1(t * log_beta_1)",
                   {{"lr", call.inputs[0]}, {"t", t}}, DType::Float32,
                   {{"log_beta_1", log_beta_1}, {"log_beta_2", log_beta_2}});
}

std::vector<Value> decompose_adam(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const UpdateGroups groups = update_groups(call.op, call.attrs, call.inputs.size());
  const NamedNumbers numbers = numeric_attrs(call.attrs);
  const Value rate = adam_rate(call);
  std::array<std::vector<Value>, 3> next;
  for (size_t i = 0; i < groups.count; ++i) {
    const Value g = call.inputs[groups.input(UpdateGroups::kGradients, i)];
    const DType dtype = emit.dtype(g);
    const DType wide = compute_class(dtype);
    const Value p = decayed(call, call.inputs[groups.input(UpdateGroups::kParameters, i)], wide);
    const Value m = emit_text(emit, "m + (g - m) * (1 - beta_1)",
                              {{"m", call.inputs[groups.input(2, i)]}, {"g", g}}, wide, numbers);
    const Value v = emit_text(emit, "v + (g * g - v) * (1 - beta_2)",
                              {{"v", call.inputs[groups.input(3, i)]}, {"g", g}}, wide, numbers);
    const Value q = emit_text(emit, "p - rate * m / (sqrt(v) + epsilon)",
                              {{"p", p}, {"rate", rate}, {"m", m}, {"v", v}}, wide, numbers);
    next[0].push_back(emit.cast(q, dtype));
    next[1].push_back(emit.cast(m, dtype));
    next[2].push_back(emit.cast(v, dtype));
  }
  std::vector<Value> outputs;
  for (const std::vector<Value>& group : next) {
    outputs.insert(outputs.end(), group.begin(), group.end());
  }
  return outputs;
}

double flops_per_parameter(const OpCall& call, double each) {
  const UpdateGroups groups = update_groups(call.op, call.attrs, call.inputs.size());
  double elements = 0;
  for (size_t i = 0; i < groups.count; ++i) {
    elements += static_cast<double>(
        call.inputs[groups.input(UpdateGroups::kParameters, i)].shape.num_elements());
  }
  return each * elements;
}

}  // namespace

void register_update_ops(OpRegistryBuilder& ops) {
  OpDef sgd;
  sgd.name = "sgd";
  sgd.op_class = OpClass::Update;
  sgd.doc = R"(A step of stochastic gradient descent.

`tensors` are the parameters, then as many gradients, then, unless `momentum` is 0, as many
velocities. Returns the new parameters, then the new velocities.)";
  sgd.inputs = {"learning_rate", "tensors"};
  sgd.variadic = true;
  sgd.outputs = {};
  sgd.attrs = {{"momentum", AttrKind::Float, 0.0, "Share of the velocity that is kept."},
               {"nesterov", AttrKind::Bool, false, "Look ahead along the velocity."},
               kWeightDecay,
               kCount};
  sgd.resolve = resolve_sgd;
  sgd.infer = infer_sgd;
  sgd.decompose = decompose_sgd;
  sgd.flops = [](const OpCall& call) {
    return flops_per_parameter(call, sgd_groups(call.attrs) == 2 ? 2 : 5);
  };
  // How many velocities there are is not told by the number of inputs alone, so only parameters.
  sgd.in_place = [](int output, int num_inputs) {
    return output < (num_inputs - 1) / 3 ? 1 + output : -1;
  };
  ops.add(std::move(sgd));

  OpDef adam;
  adam.name = "adam";
  adam.op_class = OpClass::Update;
  adam.doc = R"(A step of Adam.

`step` counts the steps done before. `tensors` are the parameters, then as many gradients, first
moments and second moments. Returns the new parameters, first moments and second moments.)";
  adam.inputs = {"learning_rate", "step", "tensors"};
  adam.variadic = true;
  adam.outputs = {};
  adam.attrs = {{"beta_1", AttrKind::Float, 0.9, "Share of the first moment that is kept."},
                {"beta_2", AttrKind::Float, 0.999, "Share of the second moment that is kept."},
                {"epsilon", AttrKind::Float, 1e-7, "Added to the root of the second moment."},
                kWeightDecay,
                kCount};
  adam.resolve = [](Attrs& attrs, std::span<const TensorType> inputs) {
    resolve_count(attrs, inputs.size(), 2, kAdamGroups);
  };
  adam.infer = infer_adam;
  adam.decompose = decompose_adam;
  adam.flops = [](const OpCall& call) { return flops_per_parameter(call, 12); };
  adam.in_place = [](int output, int num_inputs) {
    const int count = (num_inputs - 2) / 4;
    return output < count ? 2 + output : 2 + output + count;
  };
  ops.add(std::move(adam));
}

}  // namespace addax
