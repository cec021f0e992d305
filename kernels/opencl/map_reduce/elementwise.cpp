#include <algorithm>
#include <string>
#include <vector>

#include "opencl/lowering/kernel_table.h"
#include "opencl/lowering/render.h"
#include "opencl/map_reduce/map_reduce.h"
#include "ops/compute_class.h"
#include "ops/op_def.h"
#include "ops/registry.h"

namespace addax::opencl {
namespace {

// The words of "sum,none".
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

// The reduced axes are the first or the last ones of the domain.
void set_extents(const Node& node, const Dims& domain, MapReduce& loop) {
  const auto axes = node.ints("axes");
  if (!loop.folds()) {
    loop.extents.inner = elements(domain);
    return;
  }
  const bool trailing = axes.back() == static_cast<int64_t>(domain.size()) - 1;
  const auto split = static_cast<std::ptrdiff_t>(axes.size());
  const auto boundary = trailing ? domain.end() - split : domain.begin() + split;
  const int64_t first = elements(Dims(domain.begin(), boundary));
  const int64_t last = elements(Dims(boundary, domain.end()));
  (trailing ? loop.extents.outer : loop.extents.reduced) = first;
  (trailing ? loop.extents.reduced : loop.extents.inner) = last;
}

// The numeric attributes that the op's expression may name.
Attrs numeric_attrs(const OpDef& op, const Node& node) {
  Attrs attrs;
  for (const AttrDef& attr : op.attrs) {
    if (attr.kind == AttrKind::Float) attrs.set(attr.name, node.number(attr.name));
    if (attr.kind == AttrKind::Int) attrs.set(attr.name, node.integer(attr.name));
    if (attr.kind == AttrKind::Bool) attrs.set(attr.name, node.flag(attr.name));
  }
  return attrs;
}

// `cast` computes in a floating class if either side is floating.
DType class_of(const Node& node) {
  DType compute = DType::Int64;
  for (const Tensor& input : node.inputs()) compute = cast_class(compute, dtype_of(input));
  return node.op() == "cast" ? cast_class(compute, dtype_of(node.output())) : compute;
}

void add_inputs(const Node& node, const Dims& domain, MapReduce& loop) {
  for (const Tensor& input : node.inputs()) {
    loop.inputs.push_back({input, broadcast_view(input.dims, domain)});
  }
}

}  // namespace

void lower_fused(Lowering& to) {
  const Node& node = to.node;
  const auto shape = node.ints("shape");
  const Dims domain(shape.begin(), shape.end());
  MapReduce loop;
  loop.expr =
      ScalarExpr::parse_canonical(node.text("expr"), static_cast<int32_t>(node.inputs().size()));
  loop.compute = static_cast<DType>(node.dtype("compute"));
  to.require(to.limits.has_double || loop.compute != DType::Float64, "the device has no float64");
  add_inputs(node, domain, loop);
  const std::vector<std::string> folds = split(node.text("reduce"));
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    loop.outputs.push_back({node.output(i), folds.empty() ? "none" : folds[i]});
  }
  set_extents(node, domain, loop);
  add_map_reduce(to, std::move(loop));
}

void lower_elementwise(Lowering& to) {
  const Node& node = to.node;
  const OpDef& op = OpRegistry::instance().at(node.op());
  const Dims& domain = node.output().dims;
  MapReduce loop;
  loop.expr = node.op() == "cast" ? ScalarExpr::parse_canonical("i0", 1)
                                  : scalar_expr(op, numeric_attrs(op, node));
  loop.compute = class_of(node);
  add_inputs(node, domain, loop);
  loop.outputs = {{node.output(), "none"}};
  loop.extents.inner = elements(domain);
  add_map_reduce(to, std::move(loop));
}

}  // namespace addax::opencl
