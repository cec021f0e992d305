#include <pybind11/pybind11.h>

#include "bind/bindings.h"
#include "bind/errors.h"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The native core of Addax.";
  addax::bind::bind_errors(module);
  addax::bind::bind_build_info(module);
  addax::bind::bind_devices(module);
  addax::bind::bind_tensor(module);
  addax::bind::bind_variable(module);
  addax::bind::bind_trace(module);
  addax::bind::bind_ops(module);
  addax::bind::bind_profiler(module);
}
