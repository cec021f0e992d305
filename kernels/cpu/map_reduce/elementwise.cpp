#include <string>
#include <vector>

#include "core/error.h"
#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/map_reduce.h"
#include "ops/op_def.h"
#include "ops/registry.h"

namespace addax::cpu {
namespace {

std::vector<std::string> input_names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back("i" + std::to_string(i));
  return names;
}

ScalarExpr parse_fused(const Node& node) {
  return ScalarExpr::parse(node.text("expr"), input_names(node.num_inputs()));
}

ComputeClass fused_class(const Node& node) {
  const DType compute = node.dtype("compute");
  if (compute == DType::Float32) return ComputeClass::F32;
  if (compute == DType::Float64) return ComputeClass::F64;
  if (compute == DType::Int64) return ComputeClass::I64;
  throw UnsupportedError(node.message("cannot compute in " + std::string(name(compute))));
}

ReduceKind reduce_kind(const Node& node, std::string_view name) {
  if (name == "none") return ReduceKind::None;
  if (name == "sum") return ReduceKind::Sum;
  if (name == "max") return ReduceKind::Max;
  if (name == "min") return ReduceKind::Min;
  if (name == "prod") return ReduceKind::Prod;
  throw UnsupportedError(node.message("does not know the reduction '" + std::string(name) + "'"));
}

// "sum,none" or "" for none at all.
std::vector<ReduceKind> reductions_of(const Node& node) {
  const auto count = static_cast<size_t>(node.num_outputs());
  std::vector<ReduceKind> kinds;
  std::string_view text = node.text("reduce");
  while (!text.empty()) {
    const size_t comma = text.find(',');
    kinds.push_back(reduce_kind(node, text.substr(0, comma)));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  if (kinds.empty()) kinds.assign(count, ReduceKind::None);
  if (kinds.size() != count) {
    throw InvalidArgumentError(node.message("has " + std::to_string(count) + " outputs and " +
                                            std::to_string(kinds.size()) + " reductions"));
  }
  return kinds;
}

// Splits the domain at the reduced axes, which must be its first or its last ones.
void set_form(const Node& node, const Shape& domain, MapReduceSpec& spec) {
  const std::vector<int64_t> axes = node.ints("axes");
  const auto count = static_cast<int>(axes.size());
  const bool leading = count > 0 && axes.front() == 0;
  const bool trailing = count > 0 && axes.back() == domain.rank() - 1;
  for (int i = 0; i < count; ++i) {
    if (axes[static_cast<size_t>(i)] != axes.front() + i) {
      throw UnsupportedError(node.message("reduces axes that are not neighbours"));
    }
  }
  if (!leading && !trailing) {
    throw UnsupportedError(node.message("reduces axes in the middle of its domain"));
  }
  const int split = trailing ? domain.rank() - count : count;
  int64_t first = 1, last = 1;
  for (int i = 0; i < split; ++i) first *= domain[i];
  for (int i = split; i < domain.rank(); ++i) last *= domain[i];
  spec.form = trailing ? MapReduceSpec::Form::Rows : MapReduceSpec::Form::Columns;
  spec.rows = first;
  spec.cols = last;
}

Attrs numeric_attrs(const Node& node) {
  Attrs attrs;
  for (int i = 0; i < node.num_attrs(); ++i) {
    const adx_attr& attr = node.attr(i);
    if (attr.kind == ADX_ATTR_FLOAT) attrs.set(attr.name, attr.f);
    if (attr.kind == ADX_ATTR_INT) attrs.set(attr.name, attr.i);
    if (attr.kind == ADX_ATTR_BOOL) attrs.set(attr.name, attr.i != 0);
  }
  return attrs;
}

// The class of an elementwise op's operands; a cast to or from a floating dtype computes in it.
ComputeClass elementwise_class(const Node& node) {
  std::vector<DType> dtypes;
  for (const Tensor& input : node.inputs()) dtypes.push_back(input.dtype);
  if (node.op() == "cast") dtypes.push_back(node.output().dtype);
  return class_of(dtypes);
}

ScalarExpr elementwise_expr(const Node& node) {
  if (node.op() != "cast") {
    return scalar_expr(OpRegistry::instance().at(node.op()), numeric_attrs(node));
  }
  return ScalarExpr::parse("i0", input_names(1));
}

bool class_has_ops(const ScalarExpr& expr, ComputeClass compute) {
  const ClassOps& ops = tape_ops(active_isa()).of(compute);
  for (const ScalarInstruction& step : expr.code) {
    if (step.op == ScalarOp::Input || step.op == ScalarOp::Constant) continue;
    if (!ops.has(step.op)) return false;
  }
  return true;
}

}  // namespace

bool accepts_fused(const Node& node) { return class_has_ops(parse_fused(node), fused_class(node)); }

KernelPtr make_fused(const Node& node) {
  MapReduceSpec spec;
  spec.expr = parse_fused(node);
  spec.compute = fused_class(node);
  const Shape domain(node.ints("shape"));
  for (const Tensor& input : node.inputs()) {
    spec.inputs.push_back({input, broadcast_view(input.shape, domain)});
  }
  spec.outputs.assign(node.outputs().begin(), node.outputs().end());
  spec.reductions = reductions_of(node);
  spec.cols = domain.num_elements();
  for (ReduceKind kind : spec.reductions) {
    if (kind != ReduceKind::None && spec.form == MapReduceSpec::Form::Map) {
      set_form(node, domain, spec);
    }
  }
  return make_map_reduce(std::move(spec));
}

bool accepts_elementwise(const Node& node) {
  if (node.op() == "cast") return true;
  const OpDef* op = OpRegistry::instance().find(node.op());
  return op != nullptr && !op->expr.empty() &&
         class_has_ops(elementwise_expr(node), elementwise_class(node));
}

KernelPtr make_elementwise(const Node& node) {
  MapReduceSpec spec;
  spec.expr = elementwise_expr(node);
  spec.compute = elementwise_class(node);
  const Shape& domain = node.output().shape;
  for (const Tensor& input : node.inputs()) {
    spec.inputs.push_back({input, broadcast_view(input.shape, domain)});
  }
  spec.outputs = {node.output()};
  spec.reductions = {ReduceKind::None};
  spec.cols = domain.num_elements();
  return make_map_reduce(std::move(spec));
}

}  // namespace addax::cpu
