#include "bind/dlpack.h"

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/devices.h"
#include "api/eager.h"
#include "api/trace.h"
#include "bind/convert.h"
#include "bind/dlpack_abi.h"
#include "core/error.h"

namespace addax::bind {
namespace {

using dlpack::Array;
using dlpack::ManagedArray;
using dlpack::ManagedArrayVersioned;

std::optional<DType> dtype_of(const dlpack::DataType& type) {
  if (type.lanes != 1) return std::nullopt;
  switch (type.code) {
    case dlpack::kInt:
      if (type.bits == 8) return DType::Int8;
      if (type.bits == 32) return DType::Int32;
      return type.bits == 64 ? std::optional(DType::Int64) : std::nullopt;
    case dlpack::kUInt:
      return type.bits == 8 ? std::optional(DType::UInt8) : std::nullopt;
    case dlpack::kFloat:
      if (type.bits == 16) return DType::Float16;
      if (type.bits == 32) return DType::Float32;
      return type.bits == 64 ? std::optional(DType::Float64) : std::nullopt;
    case dlpack::kBfloat:
      return type.bits == 16 ? std::optional(DType::BFloat16) : std::nullopt;
    case dlpack::kBool:
      return type.bits == 8 ? std::optional(DType::Bool) : std::nullopt;
    default:
      return std::nullopt;
  }
}

dlpack::DataType type_of(DType dtype) {
  const auto bits = static_cast<uint8_t>(8 * size_of(dtype));
  switch (dtype) {
    case DType::Bool:
      return {dlpack::kBool, bits, 1};
    case DType::UInt8:
      return {dlpack::kUInt, bits, 1};
    case DType::BFloat16:
      return {dlpack::kBfloat, bits, 1};
    default:
      return {is_floating(dtype) ? dlpack::kFloat : dlpack::kInt, bits, 1};
  }
}

// ---- Import ----

// The array of a capsule, and its owner: dropping it calls the exporter's deleter.
struct Imported {
  const Array* array = nullptr;
  std::shared_ptr<void> owner;
};

template <typename Managed>
std::shared_ptr<void> own(Managed* managed) {
  return {managed, [](void* pointer) {
            auto* owned = static_cast<Managed*>(pointer);
            if (owned->deleter != nullptr) owned->deleter(owned);
          }};
}

// Takes the array out of the capsule, which is marked as used, as the protocol asks.
Imported open_capsule(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, dlpack::kVersionedName) != 0) {
    auto* managed =
        static_cast<ManagedArrayVersioned*>(PyCapsule_GetPointer(capsule, dlpack::kVersionedName));
    if (managed->version.major > 1) {
      throw UnsupportedError("[from_dlpack] version " + std::to_string(managed->version.major) +
                             " of the protocol is newer than 1, which Addax understands");
    }
    PyCapsule_SetName(capsule, dlpack::kUsedVersionedName);
    return {&managed->array, own(managed)};
  }
  if (PyCapsule_IsValid(capsule, dlpack::kName) != 0) {
    auto* managed = static_cast<ManagedArray*>(PyCapsule_GetPointer(capsule, dlpack::kName));
    PyCapsule_SetName(capsule, dlpack::kUsedName);
    return {&managed->array, own(managed)};
  }
  throw InvalidArgumentError(
      "[from_dlpack] expected an object with __dlpack__ or a capsule that was not used yet");
}

py::object capsule_of(const py::handle& exporter) {
  if (PyCapsule_CheckExact(exporter.ptr()) != 0) {
    return py::reinterpret_borrow<py::object>(exporter);
  }
  if (py::hasattr(exporter, "__dlpack_device__")) {
    const auto device = exporter.attr("__dlpack_device__")().cast<py::tuple>();
    const auto type = device[0].cast<int32_t>();
    if (type != dlpack::kHostDevice && type != dlpack::kPinnedHostDevice) {
      throw DeviceError("[from_dlpack] the memory is on a device of DLPack type " +
                        std::to_string(type) + "; move it to the host first");
    }
  }
  const py::object method = exporter.attr("__dlpack__");
  try {
    return method(py::arg("max_version") = py::make_tuple(1, 0));
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_TypeError)) throw;
  }
  return method();  // an exporter from before version 1
}

bool is_dense(const Array& array) {
  if (array.strides == nullptr) return true;
  int64_t step = 1;
  for (int32_t axis = array.ndim - 1; axis >= 0; --axis) {
    if (array.shape[axis] == 0) return true;
    if (array.shape[axis] != 1 && array.strides[axis] != step) return false;
    step *= array.shape[axis];
  }
  return true;
}

// Copies one axis after the other; `to` advances through dense memory.
void copy_strided(const Array& array, int32_t axis, const std::byte* from, size_t item,
                  std::byte*& to) {
  if (axis == array.ndim) {
    std::memcpy(to, from, item);
    to += item;
    return;
  }
  const int64_t stride = array.strides[axis] * static_cast<int64_t>(item);
  for (int64_t i = 0; i < array.shape[axis]; ++i) {
    copy_strided(array, axis + 1, from + i * stride, item, to);
  }
}

// ---- Export ----

// What an exported struct points to; deleted through the struct's own deleter.
template <typename Managed>
struct Export {
  Managed managed{};
  Tensor tensor;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;

  static void destroy(Managed* managed) {
    const std::unique_ptr<Export> dropped(static_cast<Export*>(managed->context));
  }
};

template <typename Managed>
void destroy_unused(PyObject* capsule) {
  constexpr bool kVersioned = std::is_same_v<Managed, ManagedArrayVersioned>;
  const char* name = kVersioned ? dlpack::kVersionedName : dlpack::kName;
  if (PyCapsule_IsValid(capsule, name) == 0) return;  // a consumer owns it
  auto* managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule, name));
  managed->deleter(managed);
}

template <typename Managed>
py::capsule export_tensor(Tensor tensor, bool copied) {
  constexpr bool kVersioned = std::is_same_v<Managed, ManagedArrayVersioned>;
  auto exported = std::make_unique<Export<Managed>>();
  exported->tensor = std::move(tensor);
  const TensorType& type = exported->tensor.type();
  exported->shape.assign(type.shape.begin(), type.shape.end());
  const auto strides = type.shape.strides();
  exported->strides.assign(strides.begin(), strides.begin() + type.shape.rank());
  Managed& managed = exported->managed;
  if constexpr (kVersioned) {
    managed.version = {1, 0};
    managed.flags = copied ? dlpack::kIsCopied : dlpack::kReadOnly;
  }
  managed.context = exported.get();
  managed.deleter = &Export<Managed>::destroy;
  managed.array = {.data = exported->tensor.buffer().host(),
                   .device = {dlpack::kHostDevice, 0},
                   .ndim = type.shape.rank(),
                   .dtype = type_of(type.dtype),
                   .shape = exported->shape.data(),
                   .strides = exported->strides.data(),
                   .byte_offset = 0};
  py::capsule capsule(&managed, kVersioned ? dlpack::kVersionedName : dlpack::kName,
                      &destroy_unused<Managed>);
  exported.release();
  return capsule;
}

Tensor private_copy(const Tensor& tensor) {
  return Tensor::from_host(tensor.host_data("__dlpack__"), tensor.type(),
                           tensor.device("__dlpack__"));
}

}  // namespace

Tensor tensor_from_dlpack(const py::handle& exporter) {
  const py::object capsule = capsule_of(exporter);
  Imported imported = open_capsule(capsule.ptr());
  const Array& array = *imported.array;
  const std::optional<DType> dtype = dtype_of(array.dtype);
  if (!dtype) {
    throw DTypeError("[from_dlpack] the dtype of code " + std::to_string(array.dtype.code) +
                     " with " + std::to_string(array.dtype.bits) + " bits is not supported");
  }
  if (array.device.type != dlpack::kHostDevice && array.device.type != dlpack::kPinnedHostDevice) {
    throw DeviceError("[from_dlpack] the memory is not on the host; move it there first");
  }
  const std::span<const int64_t> dims(array.shape, static_cast<size_t>(array.ndim));
  const TensorType type{*dtype, Shape(dims)};
  auto* data = static_cast<std::byte*>(array.data) + array.byte_offset;
  if (!is_dense(array)) {
    std::vector<std::byte> dense(type.bytes());
    std::byte* to = dense.data();
    copy_strided(array, 0, data, size_of(*dtype), to);
    return make_tensor(dense.data(), type);
  }
  Device& device = default_device();
  if (Trace::current() != nullptr || !device.can_wrap() || type.bytes() == 0) {
    return make_tensor(data, type);
  }
  return Tensor(device, device.wrap(data, type.bytes(), std::move(imported.owner)), type);
}

py::capsule dlpack_from_tensor(const Tensor& tensor, const py::object& max_version,
                               const py::object& copy) {
  if (tensor.host_data("__dlpack__") == nullptr && tensor.type().bytes() > 0) {
    throw DeviceError("[__dlpack__] the tensor is on " + tensor.device().name() +
                      ", whose memory other libraries cannot read; move it with x.to(\"cpu\")");
  }
  const bool versioned =
      !max_version.is_none() && max_version.cast<py::tuple>()[0].cast<int>() >= 1;
  const bool copied = !copy.is_none() && copy.cast<bool>();
  const Tensor exported = copied ? private_copy(tensor) : tensor;
  return versioned ? export_tensor<ManagedArrayVersioned>(exported, copied)
                   : export_tensor<ManagedArray>(exported, copied);
}

IntTuple dlpack_device(const Tensor& tensor) {
  tensor.device("__dlpack_device__");
  IntTuple result(2);
  result[0] = py::int_(dlpack::kHostDevice);
  result[1] = py::int_(0);
  return result;
}

}  // namespace addax::bind
