#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/typing.h>

// Python types as signatures and stubs shall name them.
namespace addax::bind {

namespace py = pybind11;

// A Tensor, or the NotImplemented of an operator.
class TensorObject : public py::object {
  PYBIND11_OBJECT_DEFAULT(TensorObject, object, check_any)
  static bool check_any(PyObject*) { return true; }
};

// A Variable that is handed back as the object that it is.
class VariableObject : public py::object {
  PYBIND11_OBJECT_DEFAULT(VariableObject, object, check_any)
  static bool check_any(PyObject*) { return true; }
};

// Under an alias of the package: within classes that have a method `numpy`, that hides the module.
class NumpyArray : public py::array {
 public:
  NumpyArray(py::array array) : py::array(std::move(array)) {}
};

using Items = py::typing::Iterable<py::object>;
using Arguments = py::Args<py::object>;
using IntTuple = py::typing::Tuple<py::int_, py::ellipsis>;
using Record = py::typing::Dict<py::str, py::object>;
using Records = py::typing::List<Record>;

}  // namespace addax::bind

namespace pybind11::detail {
template <>
struct handle_type_name<addax::bind::TensorObject> {
  static constexpr auto name = const_name("addax._core.Tensor");
};
template <>
struct handle_type_name<addax::bind::VariableObject> {
  static constexpr auto name = const_name("addax._core.Variable");
};
template <>
struct handle_type_name<addax::bind::NumpyArray> {
  static constexpr auto name = const_name("addax.arrays.Array");
};
}  // namespace pybind11::detail
