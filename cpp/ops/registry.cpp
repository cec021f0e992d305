#include "ops/registry.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/suggest.h"

namespace addax {
namespace {

[[noreturn]] void reject(const OpDef& def, const std::string& why) {
  throw InternalError("[" + def.name + "] invalid record: " + why);
}

void check_names(const OpDef& def) {
  std::set<std::string> names;
  for (const std::string& input : def.inputs) {
    if (!names.insert(input).second) reject(def, "input " + input + " stands twice");
  }
  for (const AttrDef& attr : def.attrs) {
    if (!names.insert(attr.name).second) reject(def, "the name " + attr.name + " stands twice");
    if (attr.doc.empty()) reject(def, "attribute " + attr.name + " has no doc");
  }
}

void check(const OpDef& def) {
  if (def.name.empty() || def.doc.empty()) reject(def, "it needs a name and a doc");
  if (!def.infer) reject(def, "infer is mandatory");
  if (def.variadic && def.inputs.empty()) reject(def, "a variadic op names its last input");
  check_names(def);
  if ((def.op_class == OpClass::Elementwise) == def.expr.empty()) {
    reject(def, "elementwise ops have an expression, and only they");
  }
  if (def.op_class != OpClass::Elementwise) return;
  Attrs zeros;
  for (const AttrDef& attr : def.attrs) {
    if (attr.kind == AttrKind::Float) zeros.set(attr.name, 0.0);
    if (attr.kind == AttrKind::Int) zeros.set(attr.name, int64_t{0});
    if (attr.kind == AttrKind::Bool) zeros.set(attr.name, false);
  }
  try {
    scalar_expr(def, zeros);
  } catch (const InvalidArgumentError& error) {
    reject(def, error.what());
  }
}

OpRegistry build_registry() {
  OpRegistryBuilder ops;
  register_elementwise_ops(ops);
  register_reduce_ops(ops);
  register_matmul_ops(ops);
  register_conv_ops(ops);
  register_pool_ops(ops);
  register_norm_ops(ops);
  register_softmax_ops(ops);
  register_loss_ops(ops);
  register_shape_ops(ops);
  register_gather_ops(ops);
  register_sort_ops(ops);
  register_source_ops(ops);
  register_random_ops(ops);
  register_update_ops(ops);
  register_fused_ops(ops);
  return ops.build();
}

}  // namespace

const OpRegistry& OpRegistry::instance() {
  static const OpRegistry registry = build_registry();
  return registry;
}

const OpDef* OpRegistry::find(std::string_view name) const {
  const auto found =
      std::lower_bound(ops_.begin(), ops_.end(), name,
                       [](const OpDef& def, std::string_view wanted) { return def.name < wanted; });
  return found != ops_.end() && found->name == name ? &*found : nullptr;
}

const OpDef& OpRegistry::at(std::string_view name) const {
  if (const OpDef* def = find(name)) return *def;
  std::vector<std::string> names;
  for (const OpDef& def : ops_) names.push_back(def.name);
  throw InvalidArgumentError("there is no op '" + std::string(name) + "'" +
                             did_you_mean(name, names));
}

std::vector<const OpDef*> OpRegistry::all() const {
  std::vector<const OpDef*> ops;
  for (const OpDef& def : ops_) ops.push_back(&def);
  return ops;
}

void OpRegistryBuilder::add(OpDef def) {
  check(def);
  ops_.push_back(std::move(def));
}

OpRegistry OpRegistryBuilder::build() {
  std::sort(ops_.begin(), ops_.end(),
            [](const OpDef& a, const OpDef& b) { return a.name < b.name; });
  for (size_t i = 1; i < ops_.size(); ++i) {
    if (ops_[i - 1].name == ops_[i].name) reject(ops_[i], "there is another of this name");
  }
  OpRegistry registry;
  registry.ops_ = std::move(ops_);
  return registry;
}

}  // namespace addax
