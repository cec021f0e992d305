#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <string_view>

#include "api/eager.h"
#include "api/tensor.h"
#include "ops/op_def.h"

namespace addax::bind {

namespace py = pybind11;

// A text that may come from a plug-in, a driver or the file system: what is not UTF-8 is replaced.
py::str text_to_python(std::string_view text);

// A dtype from its name, a NumPy dtype or scalar type, or Python's bool, int and float (which mean
// int32 and float32). DTypeError names the supported ones.
DType dtype_from_python(const py::handle& object);
py::dtype numpy_dtype(DType dtype);

// The device of a name, as the registry takes it; looks for plug-ins of installed packages as well.
Device& device_named(const std::string& name);
// None: the default device. A name as above.
Device& device_from_python(const py::object& name);

// A C-contiguous array in native byte order and of a supported dtype.
struct HostArray {
  py::array array;
  TensorType type;
};
// From an array or anything that NumPy makes one of; nested lists of floats become float32, of
// integers int32 where all fit. `dtype` converts. Throws DTypeError for a dtype that is not
// supported, ShapeError for ragged lists.
HostArray host_array(const py::handle& data, std::optional<DType> dtype = std::nullopt);

// Zero-copy and read-only where the device's memory is host memory.
py::array numpy_from_tensor(const Tensor& tensor, std::string_view what);

// What ops take: tensors, variables, numbers, arrays, nested lists, DLPack exporters. Nothing for
// other types, so that operators can give the other side a try.
std::optional<Operand> try_operand(const py::handle& object);
// The same; TypeError that begins with "[where]" for other types.
Operand operand_from_python(const py::handle& object, std::string_view where);

// `tensor(data, dtype, device)`.
Tensor tensor_from_python(const py::handle& data, std::optional<DType> dtype, Device* device);

// Keeps a Python object alive; may be dropped by any thread, with or without the GIL.
std::shared_ptr<void> keep_alive(py::object object);

}  // namespace addax::bind
