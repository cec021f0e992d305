#pragma once

#include <string_view>

#include "addax/device.hpp"
#include "opencl/driver/cl.h"

namespace addax::opencl {

// Throws plugin::Failure with the call, the error's name and what the driver said of it, unless
// `code` is CL_SUCCESS.
void check(cl_int code, std::string_view call, std::string_view said = "");

// The same for functions that return an object and put the error into their last argument.
template <class Create>
auto checked(std::string_view call, Create&& create) {
  cl_int code = CL_SUCCESS;
  const auto object = create(&code);
  check(code, call);
  return object;
}

}  // namespace addax::opencl
