#include "opencl/driver/error.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace addax::opencl {
namespace {

struct Name {
  cl_int code;
  std::string_view text;
};

constexpr cl_int kDeviceNotAvailable = -2;
constexpr cl_int kNvidiaFault = -9999;  // a kernel's, of that vendor

constexpr Name kNames[] = {{CL_DEVICE_NOT_FOUND, "CL_DEVICE_NOT_FOUND"},
                           {kDeviceNotAvailable, "CL_DEVICE_NOT_AVAILABLE"},
                           {-3, "CL_COMPILER_NOT_AVAILABLE"},
                           {CL_MEM_OBJECT_ALLOCATION_FAILURE, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
                           {CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES"},
                           {CL_OUT_OF_HOST_MEMORY, "CL_OUT_OF_HOST_MEMORY"},
                           {-11, "CL_BUILD_PROGRAM_FAILURE"},
                           {-14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST"},
                           {-30, "CL_INVALID_VALUE"},
                           {-33, "CL_INVALID_DEVICE"},
                           {-34, "CL_INVALID_CONTEXT"},
                           {-36, "CL_INVALID_COMMAND_QUEUE"},
                           {-38, "CL_INVALID_MEM_OBJECT"},
                           {-42, "CL_INVALID_BINARY"},
                           {-43, "CL_INVALID_BUILD_OPTIONS"},
                           {-44, "CL_INVALID_PROGRAM"},
                           {-45, "CL_INVALID_PROGRAM_EXECUTABLE"},
                           {-46, "CL_INVALID_KERNEL_NAME"},
                           {-48, "CL_INVALID_KERNEL"},
                           {-49, "CL_INVALID_ARG_INDEX"},
                           {-50, "CL_INVALID_ARG_VALUE"},
                           {-51, "CL_INVALID_ARG_SIZE"},
                           {-52, "CL_INVALID_KERNEL_ARGS"},
                           {-54, "CL_INVALID_WORK_GROUP_SIZE"},
                           {-55, "CL_INVALID_WORK_ITEM_SIZE"},
                           {CL_INVALID_BUFFER_SIZE, "CL_INVALID_BUFFER_SIZE"},
                           {-1001, "CL_PLATFORM_NOT_FOUND_KHR"}};

// Of its resources a driver may also speak when the device has broken down, which transfers and
// waits are told of.
bool is_memory(cl_int code, std::string_view call) {
  const bool takes_memory = call == "clCreateBuffer" || call == "clEnqueueNDRangeKernel";
  return code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY ||
         code == CL_INVALID_BUFFER_SIZE || (code == CL_OUT_OF_RESOURCES && takes_memory);
}

std::string_view advice(cl_int code, std::string_view call) {
  if (is_memory(code, call)) {
    // Of buffers the host says the same.
    return call == "clCreateBuffer" ? "" : "; use a smaller batch or model, or drop tensors";
  }
  if (code == kDeviceNotAvailable || code == CL_OUT_OF_RESOURCES || code == kNvidiaFault) {
    return "; the driver has given the device up: go on with another device, or in a new process";
  }
  return "";
}

}  // namespace

void check(cl_int code, std::string_view call, std::string_view said) {
  if (code == CL_SUCCESS) return;
  std::string text = std::string(call) + " failed: ";
  const auto* const known = std::find_if(std::begin(kNames), std::end(kNames),
                                         [code](const Name& name) { return name.code == code; });
  if (known != std::end(kNames)) text += std::string(known->text) + " ";
  text += "(" + std::to_string(code) + ")";
  if (!said.empty()) text += ": " + std::string(said);
  text += advice(code, call);
  throw plugin::Failure{is_memory(code, call) ? ADX_OUT_OF_MEMORY : ADX_DEVICE, text};
}

}  // namespace addax::opencl
