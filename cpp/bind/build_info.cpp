#include <pybind11/pybind11.h>

#include <string>

#include "bind/bindings.h"
#include "bind/types.h"
#include "core/env.h"
#include "cpu/isa/isa.h"
#include "runtime/host_services.h"

#define ADDAX_JOIN_(a, b) a##b
#define ADDAX_JOIN(a, b) ADDAX_JOIN_(a, b)
#define ADDAX_OPENBLAS_CONFIG ADDAX_JOIN(ADDAX_OPENBLAS_PREFIX, openblas_get_config)

extern "C" char* ADDAX_OPENBLAS_CONFIG(void);

namespace addax::bind {

void bind_build_info(py::module_& module) {
  module.attr("version") = ADDAX_VERSION;
  module.def(
      "build_info",
      [] {
        py::dict libraries;
        libraries["oneTBB"] = tbb_version();
        libraries["OpenBLAS"] = std::string(ADDAX_OPENBLAS_CONFIG());
        libraries["pybind11"] = PYBIND11_TOSTRING(PYBIND11_VERSION_MAJOR) "." PYBIND11_TOSTRING(
            PYBIND11_VERSION_MINOR) "." PYBIND11_TOSTRING(PYBIND11_VERSION_PATCH);
        Record info;
        info["version"] = ADDAX_VERSION;
        info["compiler"] = "g++ " __VERSION__;
        info["isa"] = std::string(name(cpu::active_isa()));
        info["libraries"] = libraries;
        return info;
      },
      "Version, compiler, instruction set in use, and libraries with their versions.");
}

}  // namespace addax::bind
