#include "bind/attributes.h"

#include <pybind11/stl.h>

#include <string>

#include "bind/convert.h"
#include "core/error.h"

namespace addax::bind {
namespace {

// Any object with __index__, but no bool.
std::optional<int64_t> as_integer(const py::handle& value) {
  if (PyBool_Check(value.ptr()) || !PyIndex_Check(value.ptr())) return std::nullopt;
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!number) throw py::error_already_set();
  const int64_t integer = PyLong_AsLongLong(number.ptr());
  if (integer == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return integer;
}

// A sequence of integers; a single one counts as a sequence of one.
std::optional<Ints> as_integers(const py::handle& value) {
  if (PyUnicode_Check(value.ptr())) return std::nullopt;
  if (const std::optional<int64_t> single = as_integer(value)) return Ints{*single};
  if (!PySequence_Check(value.ptr())) return std::nullopt;
  Ints integers;
  for (const py::handle item : py::reinterpret_borrow<py::object>(value)) {
    const std::optional<int64_t> integer = as_integer(item);
    if (!integer) return std::nullopt;
    integers.push_back(*integer);
  }
  return integers;
}

std::optional<AttrValue> convert(const AttrDef& attr, const py::handle& value) {
  switch (attr.kind) {
    case AttrKind::Bool:
      if (PyBool_Check(value.ptr())) return AttrValue(value.ptr() == Py_True);
      if (py::hasattr(value, "dtype") && py::str(value.attr("dtype")).equal(py::str("bool"))) {
        return AttrValue(value.cast<bool>());
      }
      return std::nullopt;
    case AttrKind::Int:
    case AttrKind::Axis:
      if (const auto integer = as_integer(value)) return AttrValue(*integer);
      return std::nullopt;
    case AttrKind::Float: {
      if (PyUnicode_Check(value.ptr()) || PyBool_Check(value.ptr())) return std::nullopt;
      const double number = PyFloat_AsDouble(value.ptr());
      if (number == -1 && PyErr_Occurred() != nullptr) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) throw py::error_already_set();
        PyErr_Clear();
        return std::nullopt;
      }
      return AttrValue(number);
    }
    case AttrKind::String:
      if (PyUnicode_Check(value.ptr())) return AttrValue(value.cast<std::string>());
      return std::nullopt;
    case AttrKind::Ints:
    case AttrKind::Axes:
    case AttrKind::Shape:
      if (auto integers = as_integers(value)) return AttrValue(std::move(*integers));
      return std::nullopt;
    case AttrKind::DType:
      return AttrValue(dtype_from_python(value));
    case AttrKind::Literal: {
      const HostArray host = host_array(value);
      const auto* bytes = static_cast<const std::byte*>(host.array.data());
      return AttrValue(std::make_shared<const Literal>(
          Literal{host.type, std::vector<std::byte>(bytes, bytes + host.type.bytes())}));
    }
  }
  return std::nullopt;
}

std::string_view expectation(AttrKind kind) {
  switch (kind) {
    case AttrKind::Bool:
      return "True or False";
    case AttrKind::Int:
    case AttrKind::Axis:
      return "an integer";
    case AttrKind::Float:
      return "a number";
    case AttrKind::String:
      return "a string";
    case AttrKind::Ints:
    case AttrKind::Shape:
      return "a sequence of integers";
    case AttrKind::Axes:
      return "an integer, a sequence of integers or None";
    case AttrKind::DType:
      return "a dtype";
    case AttrKind::Literal:
      return "an array";
  }
  return "";
}

struct ToPython {
  py::object operator()(bool value) const { return py::bool_(value); }
  py::object operator()(int64_t value) const { return py::int_(value); }
  py::object operator()(double value) const { return py::float_(value); }
  py::object operator()(const std::string& value) const { return py::str(value); }
  py::object operator()(const Ints& value) const { return py::tuple(py::cast(value)); }
  py::object operator()(DType value) const { return py::str(std::string(name(value))); }
  py::object operator()(const std::shared_ptr<const Literal>& value) const {
    const std::vector<py::ssize_t> shape(value->type.shape.begin(), value->type.shape.end());
    return py::array(numpy_dtype(value->type.dtype), shape, value->data.data());
  }
};

}  // namespace

std::string_view python_name(const AttrDef& attr) {
  return attr.kind == AttrKind::Axes && attr.name == "axes" ? "axis" : std::string_view(attr.name);
}

const AttrDef* find_attribute(const OpDef& op, std::string_view name) {
  for (const AttrDef& attr : op.attrs) {
    if (python_name(attr) == name || attr.name == name) return &attr;
  }
  return nullptr;
}

std::optional<AttrValue> attr_from_python(const OpDef& op, const AttrDef& attr,
                                          const py::handle& value) {
  if (value.is_none()) return std::nullopt;
  std::optional<AttrValue> converted = convert(attr, value);
  if (!converted) {
    throw InvalidArgumentError("[" + op.name + "] " + std::string(python_name(attr)) + " must be " +
                               std::string(expectation(attr.kind)) + ", got " +
                               py::repr(value).cast<std::string>());
  }
  return converted;
}

py::object attr_to_python(const AttrValue& value) { return std::visit(ToPython{}, value); }

Attrs attrs_from_python(const OpDef& op, const py::dict& attrs) {
  Attrs result;
  for (const auto& [key, value] : attrs) {
    const auto name = key.cast<std::string>();
    const AttrDef* attr = find_attribute(op, name);
    if (attr == nullptr) {
      // resolve_attrs reports it with the nearest name.
      result.set(name, false);
    } else if (auto converted = attr_from_python(op, *attr, value)) {
      result.set(attr->name, std::move(*converted));
    }
  }
  return result;
}

}  // namespace addax::bind
