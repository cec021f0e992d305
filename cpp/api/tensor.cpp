#include "api/tensor.h"

#include <cstring>

#include "api/errors.h"
#include "api/trace.h"

namespace addax {
namespace {

[[noreturn]] void throw_traced(const TensorType& type, std::string_view trace,
                               std::string_view what) {
  throw TracedValueError(
      "[" + std::string(what) + "] a traced tensor of type " + type.to_string() +
      " has no numbers yet: it stands for a value of the graph '" + std::string(trace) +
      "', which is traced once and run later. Return it from the traced function to see it; use "
      "ops such as where() instead of Python's if, and .shape and .dtype, which are known");
}

}  // namespace

Tensor::Tensor(Device& device, Buffer buffer, TensorType type)
    : type_(type), device_(&device), buffer_(std::move(buffer)) {}

Tensor::Tensor(std::shared_ptr<Trace> trace, Value value, TensorType type)
    : type_(type), trace_(std::move(trace)), value_(value) {}

Tensor Tensor::from_host(const void* data, const TensorType& type, Device& device) {
  Buffer buffer = device.alloc(type.bytes());
  if (type.bytes() > 0) {
    if (buffer.host() != nullptr) {
      std::memcpy(buffer.host(), data, type.bytes());
    } else {
      device.copy_from_host(data, buffer, type.bytes());
    }
  }
  return Tensor(device, std::move(buffer), type);
}

Tensor Tensor::from_literal(const Literal& literal, Device& device) {
  return from_host(literal.data.data(), literal.type, device);
}

Device& Tensor::device(std::string_view what) const {
  if (trace_ != nullptr) throw_traced(type_, trace_->name(), what);
  if (device_ == nullptr) throw InternalError("use of an empty tensor");
  return *device_;
}

const Buffer& Tensor::buffer(std::string_view what) const {
  device(what);
  return buffer_;
}

const void* Tensor::host_data(std::string_view what) const {
  device(what);
  return buffer_.host();
}

void Tensor::copy_to_host(void* to, std::string_view what) const {
  const void* data = host_data(what);
  if (type_.bytes() == 0) return;
  if (data != nullptr) {
    std::memcpy(to, data, type_.bytes());
  } else {
    device_->copy_to_host(buffer_, to, type_.bytes());
  }
}

Tensor Tensor::to(Device& target) const {
  if (&device("to()") == &target) return *this;
  Buffer buffer = target.alloc(type_.bytes());
  if (type_.bytes() > 0) copy(buffer_, 0, buffer, 0, type_.bytes());
  return Tensor(target, std::move(buffer), type_);
}

Tensor Tensor::with_shape(const Shape& shape) const {
  device("reshape");
  if (shape.num_elements() != type_.shape.num_elements()) {
    throw ShapeError("[reshape] cannot turn shape " + type_.shape.to_string() + " into " +
                     shape.to_string());
  }
  return Tensor(*device_, buffer_, TensorType{type_.dtype, shape});
}

}  // namespace addax
