#pragma once

#include <pybind11/pybind11.h>

#include "api/tensor.h"
#include "bind/types.h"

namespace addax::bind {

// A tensor over the memory of a DLPack exporter (an object with __dlpack__, or a capsule): without
// a copy where it is on the host, dense and of a supported dtype, else copied. Inside a trace a
// constant. The exporter's memory lives as long as the tensor; writing to it changes the tensor.
// DeviceError for memory that is not on the host.
Tensor tensor_from_dlpack(const pybind11::handle& exporter);

// `__dlpack__` and `__dlpack_device__` of concrete tensors: the tensor's own memory, marked
// read-only where the consumer asks for version 1 or later (the old form cannot say so), or a
// private copy where it asks for one.
pybind11::capsule dlpack_from_tensor(const Tensor& tensor, const pybind11::object& max_version,
                                     const pybind11::object& copy);
IntTuple dlpack_device(const Tensor& tensor);

}  // namespace addax::bind
