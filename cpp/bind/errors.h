#pragma once

#include <pybind11/pybind11.h>

namespace addax::bind {

// Adds the exception classes to the module and translates what C++ throws into them. A failed value
// check arrives as OutOfRangeError with the attributes op, label, index, value and step.
void bind_errors(pybind11::module_& module);

// Sets the Python error of the exception in flight; for functions outside of pybind11's dispatch.
void set_python_error() noexcept;

}  // namespace addax::bind
