#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "bind/attributes.h"
#include "bind/bindings.h"
#include "bind/call.h"
#include "bind/convert.h"
#include "bind/op_function.h"
#include "bind/types.h"
#include "ops/registry.h"

namespace addax::bind {
namespace {

std::string class_name(OpClass op_class) {
  switch (op_class) {
    case OpClass::Elementwise:
      return "elementwise";
    case OpClass::Reduce:
      return "reduce";
    case OpClass::Contraction:
      return "contraction";
    case OpClass::Movement:
      return "movement";
    case OpClass::Source:
      return "source";
    case OpClass::Random:
      return "random";
    case OpClass::Update:
      return "update";
    case OpClass::Composite:
      break;
  }
  return "composite";
}

Record record_of(const OpDef& op) {
  Records attrs;
  for (const AttrDef& attr : op.attrs) {
    Record item;
    item["name"] = attr.name;
    item["kind"] = std::string(kind_name(attr.kind));
    item["required"] = !attr.default_value && attr.kind != AttrKind::Axes;
    item["default"] = attr.default_value ? attr_to_python(*attr.default_value) : py::none();
    item["doc"] = attr.doc;
    attrs.append(item);
  }
  Record record;
  record["name"] = op.name;
  record["class"] = class_name(op.op_class);
  record["doc"] = op.doc;
  record["inputs"] = op.inputs;
  record["variadic"] = op.variadic;
  record["outputs"] = op.outputs;
  record["attrs"] = attrs;
  record["public"] = op.is_public;
  record["expr"] = op.expr;
  record["has_grad"] = static_cast<bool>(op.grad);
  record["decomposes"] = static_cast<bool>(op.decompose);
  return record;
}

// A call by name, as Python writes it.
struct NamedCall {
  NamedCall(const std::string& name, const Items& items, const py::object& dict)
      : op(OpRegistry::instance().at(name)) {
    for (const py::handle item : items) inputs.push_back(operand_from_python(item, name));
    if (!dict.is_none()) attrs = attrs_from_python(op, dict.cast<py::dict>());
  }

  const OpDef& op;
  std::vector<Operand> inputs;
  Attrs attrs;
};

}  // namespace

void bind_ops(py::module_& module) {
  prepare_op_type();
  py::module_ ops = module.def_submodule("ops", "One function for every public op.");
  const auto ops_name = ops.attr("__name__").cast<std::string>();
  // Where pickle looks a function up by its module's name.
  py::module_::import("sys").attr("modules")[py::str(ops_name)] = ops;
  for (const OpDef* op : OpRegistry::instance().all()) {
    if (op->is_public) ops.add_object(op->name.c_str(), make_op_function(*op, ops_name));
  }

  module.def(
      "apply",
      [](const std::string& op, const Items& inputs, const py::object& attrs) {
        NamedCall call(op, inputs, attrs);
        return to_python(call_all(call.op, call.inputs, std::move(call.attrs)));
      },
      py::arg("op"), py::arg("inputs"), py::arg("attrs") = py::none(),
      "Calls an op by name, internal ones too; a Tensor, or a tuple where the op has several "
      "outputs.");
  module.def(
      "apply_decomposed",
      [](const std::string& op, const Items& inputs, const py::object& attrs) {
        const NamedCall call(op, inputs, attrs);
        return to_python(apply_decomposed(call.op, call.inputs, call.attrs));
      },
      py::arg("op"), py::arg("inputs"), py::arg("attrs") = py::none(),
      "As `apply`, by the op's decomposition even where the device has a kernel for it.");
  module.def(
      "op_flops",
      [](const std::string& op, const Items& inputs, const py::object& attrs) {
        const NamedCall call(op, inputs, attrs);
        return op_flops(call.op, call.inputs, call.attrs);
      },
      py::arg("op"), py::arg("inputs"), py::arg("attrs") = py::none(),
      "Floating-point operations of a call, by the op's record.");
  module.def(
      "op_records",
      [] {
        Records records;
        for (const OpDef* op : OpRegistry::instance().all()) records.append(record_of(*op));
        return records;
      },
      "Every op's record as a dictionary, by name.");
}

}  // namespace addax::bind
