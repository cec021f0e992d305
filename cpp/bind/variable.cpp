#include "api/variable.h"

#include <array>
#include <memory>
#include <string>

#include "api/eager.h"
#include "api/trace.h"
#include "bind/bindings.h"
#include "bind/convert.h"
#include "bind/gil.h"
#include "bind/operators.h"
#include "core/error.h"
#include "ops/registry.h"

namespace addax::bind {
namespace {

using Pointer = std::shared_ptr<Variable>;

// Waiting for a variable with the GIL held would keep the thread that holds the variable from ever
// getting through.
void* release_gil() { return PyGILState_Check() != 0 ? PyEval_SaveThread() : nullptr; }
void take_gil_back(void* state) {
  if (state != nullptr) restore_gil(static_cast<PyThreadState*>(state));
}

// Numbers that lie outside of the graph even when a trace is open.
Tensor concrete(const py::handle& value, std::optional<DType> dtype, Device* device) {
  const TraceScope eagerly(nullptr);
  return tensor_from_python(value, dtype, device);
}

Pointer make_variable(const py::object& value, const std::string& name, bool trainable,
                      const py::object& dtype, const py::object& device) {
  const std::optional<DType> wanted =
      dtype.is_none() ? std::nullopt : std::optional(dtype_from_python(dtype));
  Device* target = device.is_none() ? nullptr : &device_from_python(device);
  return std::make_shared<Variable>(concrete(value, wanted, target), name, trainable);
}

// Scalars and lists take the variable's dtype; arrays and tensors are cast as `assign` allows.
// Arrays go straight to the variable's device, whichever is the default.
Tensor new_value(const Variable& variable, const py::handle& value) {
  if (py::isinstance<py::array>(value)) {
    return tensor_from_python(value, std::nullopt, &variable.device());
  }
  const Operand operand = operand_from_python(value, "assign");
  if (const Scalar* scalar = std::get_if<Scalar>(&operand.source)) {
    if (std::holds_alternative<double>(*scalar) && !is_floating(variable.type().dtype)) {
      return to_tensor(operand);
    }
    const Literal literal = scalar_literal(*scalar, variable.type().dtype);
    return make_tensor(literal.data.data(), literal.type, &variable.device());
  }
  return to_tensor(operand);
}

void assign(const Pointer& self, const py::handle& value) {
  const Tensor tensor = new_value(*self, value);
  const GilRelease release;
  self->assign(tensor);
}

struct Update {
  const char* name;      // assign_add
  const char* in_place;  // __iadd__
  const char* op;
  const char* doc;
};
constexpr std::array kUpdates = {
    Update{"assign_add", "__iadd__", "add", "Adds `value` in place."},
    Update{"assign_sub", "__isub__", "subtract", "Subtracts `value` in place."},
    Update{nullptr, "__imul__", "multiply", nullptr},
    Update{nullptr, "__itruediv__", "divide", nullptr},
};

std::string repr(const Variable& variable) {
  return "Variable(name='" + variable.name() + "', shape=" + variable.type().shape.to_string() +
         ", dtype=" + std::string(name(variable.type().dtype)) + ")";
}

IntTuple shape_of(const Variable& variable) {
  const Shape& shape = variable.type().shape;
  IntTuple result(static_cast<size_t>(shape.rank()));
  for (int axis = 0; axis < shape.rank(); ++axis) {
    result[static_cast<size_t>(axis)] = py::int_(shape[axis]);
  }
  return result;
}

}  // namespace

void bind_variable(py::module_& module) {
  set_wait_hooks({&release_gil, &take_gil_back});

  py::class_<Variable, Pointer> cls(
      module, "Variable", py::dynamic_attr(),
      R"(A named tensor that can be assigned to. Shape and dtype are fixed.

Tensors read from it never change afterwards. In a traced function it is state of the compiled
graph: assignments take effect when the function runs.

>>> v = ax.Variable([1.0, 2.0], name="weights")
>>> before = v.value
>>> v.assign_add([10.0, 10.0])
Variable(name='weights', shape=(2,), dtype=float32)
>>> v * 2
Tensor([22., 24.], dtype=float32)
>>> before
Tensor([1., 2.], dtype=float32))");
  cls.def(py::init(&make_variable), py::arg("value"), py::arg("name") = "variable",
          py::arg("trainable") = true, py::arg("dtype") = py::none(),
          py::arg("device") = py::none())
      .def_property_readonly("value", &Variable::value, "The current value as a Tensor.")
      .def_property_readonly("assignments", &Variable::assignments,
                             "How often numbers were assigned outside of compiled programs.")
      .def_property("name", &Variable::name, &Variable::set_name, "Name, for summaries and files.")
      .def_property("trainable", &Variable::trainable, &Variable::set_trainable,
                    "Whether optimizers update it.")
      .def_property_readonly("shape", &shape_of, "Extents of the axes.")
      .def_property_readonly(
          "dtype", [](const Variable& self) { return std::string(name(self.type().dtype)); },
          "Name of the element type.")
      .def_property_readonly(
          "ndim", [](const Variable& self) { return self.type().shape.rank(); }, "Number of axes.")
      .def_property_readonly(
          "size", [](const Variable& self) { return self.type().shape.num_elements(); },
          "Number of elements.")
      .def_property_readonly(
          "nbytes", [](const Variable& self) { return self.type().bytes(); },
          "Bytes of the elements.")
      .def_property_readonly(
          "device", [](const Variable& self) { return self.device().name(); },
          "Name of the device that holds it.")
      .def(
          "numpy",
          [](const Variable& self) -> NumpyArray {
            return numpy_from_tensor(self.stored(), "numpy()");
          },
          "The stored numbers as a read-only NumPy array, which later assignments leave alone.")
      .def(
          "assign",
          [](const VariableObject& self, const py::object& value) {
            assign(self.cast<Pointer>(), value);
            return self;
          },
          py::arg("value"),
          "Replaces the numbers; `value` must have the variable's shape. Returns the variable.");
  for (const Update& update : kUpdates) {
    const auto function = [op = &OpRegistry::instance().at(update.op)](const VariableObject& self,
                                                                       const py::object& value) {
      const auto variable = self.cast<Pointer>();
      const Operand operand = operand_from_python(value, "assign");
      const GilRelease release;
      variable->assign(addax::apply(*op, std::array{Operand(variable), operand}));
    };
    const auto and_return = [function](const VariableObject& self, const py::object& value) {
      function(self, value);
      return self;
    };
    if (update.name != nullptr) cls.def(update.name, and_return, py::arg("value"), update.doc);
    cls.def(update.in_place, and_return, py::arg("value"));
  }
  bind_operators<Pointer>(cls);
  cls.def("__repr__", &repr)
      .def(
          "__deepcopy__",
          [](const Variable& self, const py::object&) {
            return std::make_shared<Variable>(self.stored(), self.name(), self.trainable());
          },
          py::arg("memo"))
      .def(py::pickle(
          [](const Variable& self) -> py::object {
            return py::make_tuple(numpy_from_tensor(self.stored(), "pickle"), self.name(),
                                  self.trainable());
          },
          [](const py::object& pickled) {
            const auto state = pickled.cast<py::tuple>();
            return std::make_shared<Variable>(concrete(state[0], std::nullopt, nullptr),
                                              state[1].cast<std::string>(), state[2].cast<bool>());
          }));
}

}  // namespace addax::bind
