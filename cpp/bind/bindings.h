#pragma once

#include <pybind11/pybind11.h>

namespace addax::bind {

// One function per subsystem; module.cpp calls them in this order.
void bind_build_info(pybind11::module_& module);
void bind_devices(pybind11::module_& module);
void bind_tensor(pybind11::module_& module);
void bind_variable(pybind11::module_& module);
void bind_trace(pybind11::module_& module);
void bind_ops(pybind11::module_& module);
void bind_profiler(pybind11::module_& module);

}  // namespace addax::bind
