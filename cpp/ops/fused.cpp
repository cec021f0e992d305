#include <algorithm>

#include "ops/axes.h"
#include "ops/checks.h"
#include "ops/compute_class.h"
#include "ops/expr_emitter.h"
#include "ops/registry.h"

namespace addax {
namespace {

// The reduction of each output, "none" where there is none.
std::vector<std::string> reductions_of(const Attrs& attrs, size_t num_outputs) {
  const std::string& text = attrs.text("reduce");
  if (text.empty()) return std::vector<std::string>(num_outputs, "none");
  std::vector<std::string> names;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

bool is_run(const Ints& axes, int rank) {
  if (axes.empty()) return false;
  for (size_t i = 1; i < axes.size(); ++i) {
    if (axes[i] != axes[i - 1] + 1) return false;
  }
  return (axes.front() == 0 || axes.back() == rank - 1) && axes.front() >= 0 && axes.back() < rank;
}

void check_reductions(const OpCall& call, const std::vector<std::string>& reductions,
                      const Shape& domain) {
  bool any = false;
  for (const std::string& reduction : reductions) {
    const bool known = reduction == "none" || reduction == "sum" || reduction == "prod" ||
                       reduction == "max" || reduction == "min";
    if (!known) argument_error(call, "unknown reduction '" + reduction + "'");
    any = any || reduction != "none";
  }
  const Ints& axes = call.attrs.ints("axes");
  if (any && !is_run(axes, domain.rank())) {
    argument_error(call, "axes " + to_string(axes) + " must be a leading or trailing run of the " +
                             std::to_string(domain.rank()) + " axes of the domain");
  }
}

ScalarExpr parse_expr(const Attrs& attrs, size_t num_inputs) {
  return ScalarExpr::parse_canonical(attrs.text("expr"), static_cast<int32_t>(num_inputs));
}

std::vector<TensorType> infer_fused(const OpCall& call) {
  const Shape domain = shape_attr(call, "shape");
  const DType compute = call.attrs.dtype("compute");
  if (compute_class(compute) != compute) {
    dtype_error(call, "computes in float32, float64 or int64, not " + std::string(name(compute)));
  }
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    if (broadcast(call.inputs[i].shape, domain) == domain) continue;
    shape_error(call, input_name(call, i) + " of shape " + call.inputs[i].shape.to_string() +
                          " does not broadcast to the domain " + domain.to_string());
  }
  const size_t num_outputs = parse_expr(call.attrs, call.inputs.size()).outputs.size();
  const Ints& dtypes = call.attrs.ints("dtypes");
  const std::vector<std::string> reductions = reductions_of(call.attrs, num_outputs);
  if (dtypes.size() != num_outputs || reductions.size() != num_outputs) {
    argument_error(call, "the expression has " + std::to_string(num_outputs) + " outputs, dtypes " +
                             to_string(dtypes) + " and reduce '" + call.attrs.text("reduce") +
                             "' must say one thing for each");
  }
  check_reductions(call, reductions, domain);
  const Shape reduced = reduced_shape(domain, call.attrs.ints("axes"), false);
  std::vector<TensorType> outputs;
  for (size_t i = 0; i < num_outputs; ++i) {
    if (dtypes[i] < 0 || dtypes[i] >= kNumDTypes) {
      argument_error(call, "there is no dtype number " + std::to_string(dtypes[i]));
    }
    outputs.push_back({static_cast<DType>(dtypes[i]), reductions[i] == "none" ? domain : reduced});
  }
  return outputs;
}

std::vector<Value> decompose_fused(const DecomposeCall& call) {
  Emitter& emit = call.emit;
  const Shape domain(call.attrs.ints("shape"));
  const DType compute = call.attrs.dtype("compute");
  const ScalarExpr expr = parse_expr(call.attrs, call.inputs.size());
  const std::vector<std::string> reductions = reductions_of(call.attrs, expr.outputs.size());
  std::vector<Value> outputs = emit_expr(emit, expr, call.inputs, compute);
  for (size_t i = 0; i < outputs.size(); ++i) {
    Value& y = outputs[i];
    const DType dtype = static_cast<DType>(call.attrs.ints("dtypes")[i]);
    if (reductions[i] == "none") {
      y = emit.broadcast_to(emit.cast(y, dtype), domain);
    } else {
      const Value full = emit.broadcast_to(emit.cast(y, compute), domain);
      y = emit.cast(emit.call(reductions[i], {full}, {{"axes", call.attrs.at("axes")}}), dtype);
    }
  }
  return outputs;
}

}  // namespace

void register_fused_ops(OpRegistryBuilder& ops) {
  OpDef fused;
  fused.name = "fused";
  fused.doc = "A scalar expression over tensors that broadcast to a domain, with reductions.";
  fused.is_public = false;
  fused.inputs = {"inputs"};
  fused.variadic = true;
  fused.outputs = {};
  fused.attrs = {{"expr", AttrKind::String, {}, "Scalar expression of i0, i1, ..."},
                 {"shape", AttrKind::Ints, {}, "Domain that the inputs broadcast to."},
                 {"compute", AttrKind::DType, {}, "Type of the arithmetic."},
                 {"dtypes", AttrKind::Ints, {}, "Dtype code of each output."},
                 {"reduce", AttrKind::String, "", "Reduction of each output, comma separated."},
                 {"axes", AttrKind::Ints, Ints(), "Axes of the domain that are reduced."}};
  fused.infer = infer_fused;
  fused.decompose = decompose_fused;
  fused.flops = [](const OpCall& call) {
    const int32_t operations = parse_expr(call.attrs, call.inputs.size()).num_operations();
    return operations * static_cast<double>(shape_attr(call, "shape").num_elements());
  };
  ops.add(std::move(fused));
}

}  // namespace addax
