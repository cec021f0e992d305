#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "api/eager.h"
#include "bind/convert.h"
#include "bind/types.h"
#include "ops/registry.h"

namespace addax::bind {

namespace py = pybind11;

using TensorIterator = py::typing::Iterator<Tensor>;

// `x <op> other` and, `reflected`, `other <op> x`; NotImplemented where `other` is of a type that
// no op takes.
TensorObject binary(const OpDef& op, const Operand& x, const py::object& other, bool reflected);
// The same for & | ^, which need bool operands (DTypeError): Addax has no bitwise ops.
TensorObject logical(const OpDef& op, const Operand& x, const py::object& other, bool reflected);
// NumPy's rule for vectors on either side.
TensorObject matmul(const OpDef& op, const Operand& x, const py::object& other, bool reflected);

Tensor invert(const Operand& x);
Tensor reduce(const OpDef& op, const Operand& x, const py::object& axis, bool keepdims);
Tensor subscript(const Operand& x, const py::object& key);
TensorIterator iterate(const Operand& x);
py::ssize_t length(const Operand& x);
// x.transpose(), x.transpose(1, 0) and x.transpose((1, 0)); x.reshape(2, -1), x.reshape((2, -1)).
Tensor transpose(const Operand& x, const Arguments& axes);
Tensor reshape(const Operand& x, const Arguments& shape);

// The number in a tensor with one element: a Python bool, int or float. `what` begins the message
// when there are more elements or the tensor is traced.
py::object item(const Operand& x, std::string_view what);
py::object tolist(const Operand& x);
NumpyArray numpy_array(const Operand& x, const py::object& dtype, const py::object& copy);

using BinaryFunction = TensorObject (*)(const OpDef&, const Operand&, const py::object&, bool);

struct BinaryOperator {
  const char* name;
  const char* reflected_name;  // null: Python mirrors it by itself
  const char* op;
  BinaryFunction apply;
};
inline constexpr std::array kBinaryOperators = {
    BinaryOperator{"__add__", "__radd__", "add", &binary},
    BinaryOperator{"__sub__", "__rsub__", "subtract", &binary},
    BinaryOperator{"__mul__", "__rmul__", "multiply", &binary},
    BinaryOperator{"__truediv__", "__rtruediv__", "divide", &binary},
    BinaryOperator{"__floordiv__", "__rfloordiv__", "floor_divide", &binary},
    BinaryOperator{"__mod__", "__rmod__", "mod", &binary},
    BinaryOperator{"__matmul__", "__rmatmul__", "matmul", &matmul},
    BinaryOperator{"__and__", "__rand__", "logical_and", &logical},
    BinaryOperator{"__or__", "__ror__", "logical_or", &logical},
    BinaryOperator{"__xor__", "__rxor__", "logical_xor", &logical},
    BinaryOperator{"__eq__", nullptr, "equal", &binary},
    BinaryOperator{"__ne__", nullptr, "not_equal", &binary},
    BinaryOperator{"__lt__", nullptr, "less", &binary},
    BinaryOperator{"__le__", nullptr, "less_equal", &binary},
    BinaryOperator{"__gt__", nullptr, "greater", &binary},
    BinaryOperator{"__ge__", nullptr, "greater_equal", &binary},
};

struct Reduction {
  const char* name;
  const char* doc;
};
inline constexpr std::array kReductions = {
    Reduction{"sum", "Sum over `axis` (an integer, several, or None for all)."},
    Reduction{"mean", "Mean over `axis`."},
    Reduction{"prod", "Product over `axis`."},
    Reduction{"max", "Largest element over `axis`."},
    Reduction{"min", "Smallest element over `axis`."},
    Reduction{"std", "Standard deviation over `axis`."},
    Reduction{"var", "Variance over `axis`."},
    Reduction{"any", "Whether some element over `axis` is true."},
    Reduction{"all", "Whether every element over `axis` is true."},
};

Tensor call_unary(const OpDef& op, const Operand& x);
Tensor argument_of_extreme(const OpDef& op, const Operand& x, const py::object& axis,
                           bool keepdims);

// What tensors and variables have in common: NumPy's operators, indexing, reductions, conversions.
// Self is Tensor, or a shared pointer to Variable.
template <typename Self, typename Class>
void bind_operators(Class& cls) {
  const OpRegistry& ops = OpRegistry::instance();
  for (const BinaryOperator& entry : kBinaryOperators) {
    const OpDef* op = &ops.at(entry.op);
    const BinaryFunction apply = entry.apply;
    cls.def(
        entry.name,
        [op, apply](const Self& self, const py::object& other) {
          return apply(*op, Operand(self), other, false);
        },
        py::arg("other"), py::is_operator());
    if (entry.reflected_name == nullptr) continue;
    cls.def(
        entry.reflected_name,
        [op, apply](const Self& self, const py::object& other) {
          return apply(*op, Operand(self), other, true);
        },
        py::arg("other"), py::is_operator());
  }
  const OpDef* power = &ops.at("power");
  cls.def(
      "__pow__",
      [power](const Self& self, const py::object& other, const py::none&) {
        return binary(*power, Operand(self), other, false);
      },
      py::arg("other"), py::arg("modulo") = py::none(), py::is_operator());
  cls.def(
      "__rpow__",
      [power](const Self& self, const py::object& other, const py::none&) {
        return binary(*power, Operand(self), other, true);
      },
      py::arg("other"), py::arg("modulo") = py::none(), py::is_operator());
  for (const auto& [name, op_name] : {std::pair("__neg__", "negative"), {"__abs__", "abs"}}) {
    cls.def(name,
            [op = &ops.at(op_name)](const Self& self) { return call_unary(*op, Operand(self)); });
  }
  cls.def("__pos__", [](const Self& self) { return to_tensor(Operand(self)); });
  cls.def("__invert__", [](const Self& self) { return invert(Operand(self)); });

  for (const Reduction& reduction : kReductions) {
    cls.def(
        reduction.name,
        [op = &ops.at(reduction.name)](const Self& self, const py::object& axis, bool keepdims) {
          return reduce(*op, Operand(self), axis, keepdims);
        },
        py::arg("axis") = py::none(), py::arg("keepdims") = false, reduction.doc);
  }
  for (const char* name : {"argmax", "argmin"}) {
    cls.def(
        name,
        [op = &ops.at(name)](const Self& self, const py::object& axis, bool keepdims) {
          return argument_of_extreme(*op, Operand(self), axis, keepdims);
        },
        py::arg("axis") = py::none(), py::arg("keepdims") = false,
        "Position along `axis` (None: in the flattened tensor), int32; the first of equals.");
  }

  cls.def(
      "__getitem__",
      [](const Self& self, const py::object& key) { return subscript(Operand(self), key); },
      py::arg("key"));
  cls.def("__len__", [](const Self& self) { return length(Operand(self)); });
  cls.def("__iter__", [](const Self& self) { return iterate(Operand(self)); });
  cls.def("__bool__", [](const Self& self) { return py::bool_(item(Operand(self), "bool()")); });
  cls.def("__int__", [](const Self& self) { return py::int_(item(Operand(self), "int()")); });
  cls.def("__float__", [](const Self& self) { return py::float_(item(Operand(self), "float()")); });
  cls.def("__index__", [](const Self& self) {
    const Tensor x = to_tensor(Operand(self));
    if (is_floating(x.dtype())) {
      throw py::type_error("only integer tensors with one element can be used as an index");
    }
    return py::int_(item(Operand(x), "index"));
  });
  cls.def(
      "item", [](const Self& self) { return item(Operand(self), "item()"); },
      "The number in a tensor with one element, as a Python bool, int or float.");
  cls.def(
      "tolist", [](const Self& self) { return tolist(Operand(self)); },
      "Nested Python lists of the numbers.");
  cls.def(
      "__array__",
      [](const Self& self, const py::object& dtype, const py::object& copy) {
        return numpy_array(Operand(self), dtype, copy);
      },
      py::arg("dtype") = py::none(), py::arg("copy") = py::none());
  cls.def(
      "reshape",
      [](const Self& self, const Arguments& shape) { return reshape(Operand(self), shape); },
      "The same elements in another shape; one extent may be -1.");
  cls.def(
      "flatten", [](const Self& self) { return reshape(to_tensor(Operand(self)), Ints{-1}); },
      "The elements in one dimension.");
  cls.def(
      "transpose",
      [](const Self& self, const Arguments& axes) { return transpose(Operand(self), axes); },
      "Axes in the given order, reversed without arguments.");
  cls.def_property_readonly(
      "T", [](const Self& self) { return transpose(Operand(self), Arguments()); },
      "The transpose.");
  cls.def(
      "astype",
      [](const Self& self, const py::object& dtype) {
        return cast(to_tensor(Operand(self)), dtype_from_python(dtype));
      },
      py::arg("dtype"), "The numbers converted to `dtype`.");
  // Elementwise equality leaves identity for dictionaries and sets.
  cls.def("__hash__", [](const py::object& self) {
    return static_cast<py::ssize_t>(reinterpret_cast<uintptr_t>(self.ptr()) >> 4U);
  });
  // Arrays on the left leave the operator to the right side.
  cls.attr("__array_priority__") = 1000;
}

}  // namespace addax::bind
