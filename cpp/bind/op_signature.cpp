#include <string>

#include "bind/attributes.h"
#include "bind/op_function.h"

namespace addax::bind {
namespace {

namespace py = pybind11;

py::object annotation_of(AttrKind kind) {
  const auto builtin = [](PyTypeObject& type) {
    return py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(&type));
  };
  switch (kind) {
    case AttrKind::Bool:
      return builtin(PyBool_Type);
    case AttrKind::Int:
    case AttrKind::Axis:
      return builtin(PyLong_Type);
    case AttrKind::Float:
      return builtin(PyFloat_Type);
    case AttrKind::String:
      return builtin(PyUnicode_Type);
    case AttrKind::Axes:
      return py::str("int | collections.abc.Sequence[int] | None");
    case AttrKind::Ints:
    case AttrKind::Shape:
      return py::str("int | collections.abc.Sequence[int]");
    case AttrKind::DType:
    case AttrKind::Literal:
      break;
  }
  return builtin(PyBaseObject_Type);
}

OpSignature::Parameter parameter_of(const AttrDef& attr) {
  OpSignature::Parameter parameter;
  parameter.name = python_name(attr);
  parameter.attr = &attr;
  parameter.annotation = annotation_of(attr.kind);
  if (attr.default_value) {
    parameter.default_value = attr_to_python(*attr.default_value);
  } else if (attr.kind == AttrKind::Axes) {
    parameter.default_value = py::none();
  } else {
    parameter.required = true;
  }
  return parameter;
}

}  // namespace

OpSignature::OpSignature(const OpDef& record) : op(record) {
  for (const std::string& input : op.inputs) {
    Parameter parameter;
    parameter.name = input;
    parameter.required = true;
    parameter.annotation =
        py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(&PyBaseObject_Type));
    parameters.push_back(std::move(parameter));
  }
  // A required parameter after one with a default, or after the repeated input, must be named.
  bool keyword_only = op.variadic;
  bool defaults = false;
  for (const AttrDef& attr : op.attrs) {
    Parameter parameter = parameter_of(attr);
    keyword_only = keyword_only || (parameter.required && defaults);
    defaults = defaults || !parameter.required;
    parameter.keyword_only = keyword_only;
    parameters.push_back(std::move(parameter));
  }
  for (Parameter& parameter : parameters) {
    parameter.interned_name =
        py::reinterpret_steal<py::object>(PyUnicode_InternFromString(parameter.name.c_str()));
  }
}

py::object OpSignature::inspect() const {
  const py::module_ inspect = py::module_::import("inspect");
  const py::object kind = inspect.attr("Parameter");
  py::list list;
  for (const Parameter& parameter : parameters) {
    const bool repeated = op.variadic && parameter.name == op.inputs.back();
    const char* name = "POSITIONAL_OR_KEYWORD";
    if (repeated)
      name = "VAR_POSITIONAL";
    else if (op.variadic && parameter.attr == nullptr)
      name = "POSITIONAL_ONLY";
    else if (parameter.keyword_only)
      name = "KEYWORD_ONLY";
    py::dict options;
    options["annotation"] = parameter.annotation;
    if (!parameter.required) options["default"] = parameter.default_value;
    list.append(kind(parameter.name, kind.attr(name), **options));
  }
  const bool single = op.outputs.size() == 1;
  return inspect.attr("Signature")(
      list, py::arg("return_annotation") =
                single ? "addax._core.Tensor" : "tuple[addax._core.Tensor, ...]");
}

std::string OpSignature::doc() const {
  std::string text = op.doc;
  std::string arguments;
  for (const AttrDef& attr : op.attrs) {
    if (!attr.doc.empty()) {
      arguments += "\n    " + std::string(python_name(attr)) + ": " + attr.doc;
    }
  }
  if (!arguments.empty()) text += "\n\nArguments:" + arguments;
  return text;
}

}  // namespace addax::bind
