#include "bind/convert.h"

#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "api/devices.h"
#include "api/errors.h"
#include "bind/dlpack.h"
#include "bind/gil.h"
#include "core/error.h"

namespace addax::bind {
namespace {

constexpr const char* kSupported =
    "supported are bool, uint8, int8, int32, int64, float16, bfloat16, float32 and float64";

py::module_ numpy() { return py::module_::import("numpy"); }

std::string text_of(const py::handle& object) { return py::str(object).cast<std::string>(); }

std::optional<DType> supported_dtype(const py::dtype& dtype) {
  const auto size = dtype.itemsize();
  switch (dtype.kind()) {
    case 'b':
      return DType::Bool;
    case 'u':
      return size == 1 ? std::optional(DType::UInt8) : std::nullopt;
    case 'i':
      if (size == 1) return DType::Int8;
      if (size == 4) return DType::Int32;
      return size == 8 ? std::optional(DType::Int64) : std::nullopt;
    case 'f':
      if (size == 2) return DType::Float16;
      if (size == 4) return DType::Float32;
      return size == 8 ? std::optional(DType::Float64) : std::nullopt;
    case 'V':
      if (text_of(dtype) == "bfloat16") return DType::BFloat16;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

std::string advice(const py::dtype& dtype) {
  switch (dtype.kind()) {
    case 'i':
      return "; convert with array.astype('int32')";
    case 'u':
      return dtype.itemsize() == 2 ? "; convert with array.astype('int32')"
                                   : "; convert with array.astype('int64')";
    case 'c':
      return "; pass the real and imaginary parts on their own";
    case 'f':
      return "; convert with array.astype('float64')";
    case 'U':
    case 'S':
    case 'O':
      return "; map the values to numbers first";
    default:
      return "";
  }
}

// Native byte order, or the reason why not.
DType dtype_of(const py::dtype& dtype) {
  const std::optional<DType> supported = supported_dtype(dtype);
  if (!supported) {
    throw DTypeError("[tensor] the dtype " + text_of(dtype) + " is not supported; " + kSupported +
                     advice(dtype));
  }
  if (!dtype.attr("isnative").cast<bool>()) {
    throw DTypeError("[tensor] the dtype " + text_of(dtype) +
                     " has foreign byte order; convert with array.astype('" +
                     std::string(name(*supported)) + "')");
  }
  return *supported;
}

bool is_list(const py::handle& data) {
  return PyList_Check(data.ptr()) != 0 || PyTuple_Check(data.ptr()) != 0;
}

py::array as_array(const py::handle& data) {
  try {
    return numpy().attr("asarray")(data);
  } catch (py::error_already_set& error) {
    if (is_list(data) && error.matches(PyExc_ValueError)) {
      throw ShapeError("[tensor] the nested list is ragged: " + text_of(error.value()));
    }
    throw;
  }
}

bool fits_int32(const py::array& array) {
  const auto* values = static_cast<const int64_t*>(array.data());
  return std::all_of(values, values + array.size(), [](int64_t value) {
    return value >= std::numeric_limits<int32_t>::min() &&
           value <= std::numeric_limits<int32_t>::max();
  });
}

py::array convert(const py::array& array, DType dtype) {
  return array.attr("astype")(numpy_dtype(dtype), py::arg("copy") = false, py::arg("order") = "C");
}

TensorType type_of(const py::array& array, DType dtype) {
  std::vector<int64_t> dims(array.shape(), array.shape() + array.ndim());
  return {dtype, Shape(dims)};
}

Operand array_operand(const py::handle& object) {
  const HostArray host = host_array(object);
  return Operand(make_tensor(host.array.data(), host.type), is_list(object));
}

}  // namespace

py::str text_to_python(std::string_view text) {
  PyObject* const decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "replace");
  if (decoded == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(decoded);
}

DType dtype_from_python(const py::handle& object) {
  if (object.is(py::handle(reinterpret_cast<PyObject*>(&PyFloat_Type)))) return DType::Float32;
  if (object.is(py::handle(reinterpret_cast<PyObject*>(&PyLong_Type)))) return DType::Int32;
  if (py::isinstance<py::str>(object)) {
    if (const auto dtype = dtype_from_name(object.cast<std::string>())) return *dtype;
  }
  py::object dtype;
  try {
    dtype = numpy().attr("dtype")(object);
  } catch (py::error_already_set&) {
    throw DTypeError("[dtype] " + py::repr(object).cast<std::string>() + " names no dtype; " +
                     kSupported);
  }
  return dtype_of(dtype.cast<py::dtype>());
}

py::dtype numpy_dtype(DType dtype) {
  if (dtype == DType::BFloat16) {
    return py::dtype::from_args(py::module_::import("ml_dtypes").attr("bfloat16"));
  }
  return py::dtype(std::string(name(dtype)));
}

// Plug-ins of installed packages are looked for when a name is not known without them.
Device& device_named(const std::string& name) {
  if (Device* const device = device_registry().find(name)) return *device;
  py::module_::import("addax.placement").attr("discover")();
  return device_registry().get(name);
}

Device& device_from_python(const py::object& name) {
  if (name.is_none()) return default_device();
  return device_named(name.cast<std::string>());
}

HostArray host_array(const py::handle& data, std::optional<DType> dtype) {
  py::array array = as_array(data);
  std::optional<DType> from = supported_dtype(array.dtype());
  if (dtype && array.dtype().kind() != 'c' && PyObject_HasAttrString(array.ptr(), "astype") != 0 &&
      std::string_view("biufV").find(array.dtype().kind()) != std::string_view::npos) {
    array = convert(array, *dtype);
    return {array, type_of(array, *dtype)};
  }
  from = dtype_of(array.dtype());
  if ((array.flags() & py::array::c_style) == 0) {
    array = numpy().attr("asarray")(array, py::arg("order") = "C");
  }
  if (is_list(data) && !dtype) {
    if (from == DType::Float64) dtype = DType::Float32;
    if (from == DType::Int64 && fits_int32(array)) dtype = DType::Int32;
  }
  if (dtype && dtype != from) {
    array = convert(array, *dtype);
    from = dtype;
  }
  return {array, type_of(array, *from)};
}

py::array numpy_from_tensor(const Tensor& tensor, std::string_view what) {
  const py::dtype dtype = numpy_dtype(tensor.dtype());
  const std::vector<py::ssize_t> shape(tensor.shape().begin(), tensor.shape().end());
  const void* data = tensor.host_data(what);
  if (data == nullptr) {
    py::array array(dtype, shape);
    const GilRelease release;
    tensor.copy_to_host(array.mutable_data(), what);
    return array;
  }
  auto owner = std::make_unique<Tensor>(tensor);
  const py::capsule base(owner.get(), [](void* held) {
    const std::unique_ptr<Tensor> dropped(static_cast<Tensor*>(held));
  });
  static_cast<void>(owner.release());  // the capsule owns it now
  py::array array(dtype, shape, data, base);
  array.attr("flags").attr("writeable") = false;
  return array;
}

std::optional<Operand> try_operand(const py::handle& object) {
  if (py::isinstance<Tensor>(object)) return Operand(object.cast<const Tensor&>());
  if (PyFloat_Check(object.ptr())) return Operand(Scalar(PyFloat_AS_DOUBLE(object.ptr())));
  if (PyBool_Check(object.ptr())) return Operand(Scalar(object.ptr() == Py_True));
  if (PyLong_Check(object.ptr())) {
    int overflow = 0;
    const int64_t integer = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
    if (overflow != 0) {
      throw OutOfRangeError("the integer " + text_of(object) + " does not fit 64 bits");
    }
    return Operand(Scalar(integer));
  }
  if (py::isinstance<Variable>(object)) return Operand(object.cast<std::shared_ptr<Variable>>());
  if (py::isinstance<py::array>(object) || is_list(object)) return array_operand(object);
  if (py::hasattr(object, "__dlpack__")) return Operand(tensor_from_dlpack(object));
  if (py::hasattr(object, "__array__") || py::hasattr(object, "__array_interface__")) {
    return array_operand(object);
  }
  return std::nullopt;
}

Operand operand_from_python(const py::handle& object, std::string_view where) {
  if (auto operand = try_operand(object)) return std::move(*operand);
  throw py::type_error("[" + std::string(where) +
                       "] expected a tensor, variable, array, number or "
                       "nested list, got " +
                       py::str(py::type::handle_of(object).attr("__name__")).cast<std::string>());
}

Tensor tensor_from_python(const py::handle& data, std::optional<DType> dtype, Device* device) {
  if (py::isinstance<Tensor>(data) || py::isinstance<Variable>(data)) {
    Tensor tensor = to_tensor(operand_from_python(data, "tensor"));
    if (dtype) tensor = cast(tensor, *dtype);
    return device != nullptr && !tensor.is_traced() ? tensor.to(*device) : tensor;
  }
  if (PyFloat_Check(data.ptr()) || PyLong_Check(data.ptr())) {
    const Scalar scalar = std::get<Scalar>(operand_from_python(data, "tensor").source);
    const Literal literal = scalar_literal(scalar, dtype.value_or(default_dtype(scalar)));
    return make_tensor(literal.data.data(), literal.type, device);
  }
  if (!py::isinstance<py::array>(data) && !is_list(data) && py::hasattr(data, "__dlpack__")) {
    Tensor tensor = tensor_from_dlpack(data);
    if (dtype) tensor = cast(tensor, *dtype);
    return device != nullptr ? tensor.to(*device) : tensor;
  }
  const HostArray host = host_array(data, dtype);
  return make_tensor(host.array.data(), host.type, device);
}

}  // namespace addax::bind
