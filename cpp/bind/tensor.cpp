#include "api/tensor.h"

#include <pybind11/stl.h>

#include <memory>
#include <string>

#include "api/devices.h"
#include "api/eager.h"
#include "api/trace.h"
#include "bind/bindings.h"
#include "bind/convert.h"
#include "bind/dlpack.h"
#include "bind/operators.h"

namespace addax::bind {
namespace {

std::string dtype_name(DType dtype) { return std::string(name(dtype)); }

IntTuple shape_tuple(const Shape& shape) {
  IntTuple result(static_cast<size_t>(shape.rank()));
  for (int axis = 0; axis < shape.rank(); ++axis) {
    result[static_cast<size_t>(axis)] = py::int_(shape[axis]);
  }
  return result;
}

std::string repr(const Tensor& tensor) {
  const std::string dtype = ", dtype=" + dtype_name(tensor.dtype());
  if (tensor.is_traced()) {
    return "Tensor(traced, shape=" + tensor.shape().to_string() + dtype + ")";
  }
  const py::object numbers = py::module_::import("numpy").attr("array2string")(
      numpy_from_tensor(tensor, "repr"), py::arg("separator") = ", ",
      py::arg("prefix") = "Tensor(");
  Device& device = tensor.device();
  const bool elsewhere = &device != &default_device();
  return "Tensor(" + numbers.cast<std::string>() + dtype +
         (elsewhere ? ", device=" + device.name() : "") + ")";
}

std::optional<DType> optional_dtype(const py::object& dtype) {
  return dtype.is_none() ? std::nullopt : std::optional(dtype_from_python(dtype));
}

// Over the array's own memory where possible.
Tensor share(const py::object& data) {
  const HostArray host = host_array(data);
  Device& device = default_device();
  if (Trace::current() != nullptr || !device.can_wrap() || host.type.bytes() == 0) {
    return make_tensor(host.array.data(), host.type);
  }
  // Programs only read their inputs, so that a read-only array is fine.
  void* memory = const_cast<void*>(host.array.data());
  return Tensor(device, device.wrap(memory, host.type.bytes(), keep_alive(host.array)), host.type);
}

}  // namespace

void bind_tensor(py::module_& module) {
  py::class_<Tensor> cls(
      module, "Tensor",
      R"(An immutable array on a device, or in a traced function a value of the graph.

Made by `addax.tensor` and by ops. Works like a NumPy array: operators, indexing, reductions;
`numpy()` gives the numbers without a copy on the CPU.

>>> x = ax.tensor([[1.0, 2.0], [3.0, 4.0]])
>>> x @ x.T - 1
Tensor([[ 4., 10.],
        [10., 24.]], dtype=float32)
>>> x[:, -1].sum().item()
6.0)");
  cls.def_property_readonly(
         "shape", [](const Tensor& self) { return shape_tuple(self.shape()); },
         "Extents of the axes.")
      .def_property_readonly(
          "dtype", [](const Tensor& self) { return dtype_name(self.dtype()); },
          "Name of the element type.")
      .def_property_readonly(
          "ndim", [](const Tensor& self) { return self.shape().rank(); }, "Number of axes.")
      .def_property_readonly(
          "size", [](const Tensor& self) { return self.shape().num_elements(); },
          "Number of elements.")
      .def_property_readonly(
          "nbytes", [](const Tensor& self) { return self.type().bytes(); },
          "Bytes of the elements.")
      .def_property_readonly(
          "device",
          [](const Tensor& self) {
            return self.is_traced() ? default_device().name() : self.device().name();
          },
          "Name of the device that holds it; of a traced tensor the default one.")
      .def_property_readonly("is_traced", &Tensor::is_traced,
                             "Whether it stands for a value of a graph that is being traced.");
  bind_operators<Tensor>(cls);
  cls.def(
         "numpy",
         [](const Tensor& self) -> NumpyArray { return numpy_from_tensor(self, "numpy()"); },
         "The numbers as a read-only NumPy array, without a copy where the device's memory is "
         "the host's.")
      .def(
          "to",
          [](const Tensor& self, const py::object& device) {
            return self.to(device_from_python(device));
          },
          py::arg("device"), "The tensor on another device; itself if it is there already.")
      .def(
          "__dlpack__",
          [](const Tensor& self, const py::object&, const py::object& max_version,
             const py::object&,
             const py::object& copy) { return dlpack_from_tensor(self, max_version, copy); },
          py::kw_only(), py::arg("stream") = py::none(), py::arg("max_version") = py::none(),
          py::arg("dl_device") = py::none(), py::arg("copy") = py::none())
      .def("__dlpack_device__", [](const Tensor& self) { return dlpack_device(self); })
      .def("__repr__", &repr)
      .def("__copy__", [](const TensorObject& self) { return self; })
      .def(
          "__deepcopy__", [](const TensorObject& self, const py::object&) { return self; },
          py::arg("memo"))
      .def(py::pickle(
          [](const Tensor& self) -> py::object { return numpy_from_tensor(self, "pickle"); },
          [](const py::object& array) {
            return tensor_from_python(array, std::nullopt, nullptr);
          }));

  module.def(
      "tensor",
      [](const py::object& data, const py::object& dtype, const py::object& device) {
        Device* target = device.is_none() ? nullptr : &device_from_python(device);
        return tensor_from_python(data, optional_dtype(dtype), target);
      },
      py::arg("data"), py::arg("dtype") = py::none(), py::arg("device") = py::none(),
      R"(A tensor of numbers, nested lists or an array, which is copied.

Python floats become float32 and integers int32 unless `dtype` is given; arrays keep their
dtype. Inside a traced function it is a constant of the graph.

>>> ax.tensor([1, 2, 3])
Tensor([1, 2, 3], dtype=int32)
>>> ax.tensor(0.5, dtype="bfloat16")
Tensor(0.5, dtype=bfloat16))");
  module.def("share", &share, py::arg("array"),
             "A tensor over the memory of a NumPy array, without a copy where the device's memory\n"
             "is the host's and the array is C-contiguous. Writing to the array changes the "
             "tensor.");
  module.def("from_dlpack", &tensor_from_dlpack, py::arg("exporter"),
             "A tensor over the memory of an array of another library, without a copy where it is\n"
             "dense and on the host. Writing to that array changes the tensor.");
}

}  // namespace addax::bind
