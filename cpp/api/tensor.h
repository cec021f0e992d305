#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/shape.h"
#include "device/device.h"
#include "graph/graph.h"

namespace addax {

class Trace;

// An immutable dense array: either concrete (a type and a buffer on a device) or traced (a value of
// the graph that a Trace is building). A small handle; copies share the buffer.
//
// Threads: concrete tensors may be shared and read by any number of threads. A traced tensor
// belongs to the thread of its trace.
class Tensor {
 public:
  Tensor() = default;
  Tensor(Device& device, Buffer buffer, TensorType type);

  // Copies dense row-major host data to `device`.
  static Tensor from_host(const void* data, const TensorType& type, Device& device);
  static Tensor from_literal(const Literal& literal, Device& device);

  bool valid() const { return device_ != nullptr || trace_ != nullptr; }
  bool is_traced() const { return trace_ != nullptr; }
  const TensorType& type() const { return type_; }
  const Shape& shape() const { return type_.shape; }
  DType dtype() const { return type_.dtype; }

  // Of concrete tensors; throw TracedValueError on a traced one. `what` names the attempt in the
  // message ("bool()", "numpy()").
  Device& device(std::string_view what = "device") const;
  const Buffer& buffer(std::string_view what = "buffer") const;
  // The bytes in host memory without a copy; null where the device's memory is not host memory.
  const void* host_data(std::string_view what = "numpy()") const;
  void copy_to_host(void* to, std::string_view what = "numpy()") const;
  // The same numbers on another device; this tensor itself if it is there already.
  Tensor to(Device& device) const;
  // The same buffer under another shape of as many elements.
  Tensor with_shape(const Shape& shape) const;

  // Of traced tensors.
  const std::shared_ptr<Trace>& trace() const { return trace_; }
  Value value() const { return value_; }

 private:
  friend class Trace;
  Tensor(std::shared_ptr<Trace> trace, Value value, TensorType type);

  TensorType type_;
  Device* device_ = nullptr;
  Buffer buffer_;
  std::shared_ptr<Trace> trace_;
  Value value_;
};

}  // namespace addax
