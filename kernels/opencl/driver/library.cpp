#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "addax/device.hpp"
#include "opencl/driver/cl.h"

namespace addax::opencl {
namespace {

// The loader of drivers, or what the environment names in its place.
std::string library_name() {
  const char* const name = std::getenv("ADDAX_OPENCL_LIBRARY");
  return name == nullptr || *name == '\0' ? "libOpenCL.so.1" : name;
}

void* open_library() {
  void* const library = dlopen(library_name().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw plugin::Failure{ADX_DEVICE, "this machine has no OpenCL (" + std::string(dlerror()) +
                                          "); install the driver of your GPU to use it"};
  }
  return library;
}

template <class Function>
void find(void* library, const char* name, Function& function) {
  void* const address = dlsym(library, name);
  if (address == nullptr) {
    throw plugin::Failure{ADX_DEVICE, library_name() + " lacks " + name +
                                          ", which OpenCL 1.2 has; install a newer one"};
  }
  function = reinterpret_cast<Function>(address);
}

Api load() {
  void* const library = open_library();
  Api found{};
#define ADDAX_FIND(name) find(library, #name, found.name)
  ADDAX_FIND(clGetPlatformIDs);
  ADDAX_FIND(clGetDeviceIDs);
  ADDAX_FIND(clGetDeviceInfo);
  ADDAX_FIND(clCreateContext);
  ADDAX_FIND(clReleaseContext);
  ADDAX_FIND(clCreateBuffer);
  ADDAX_FIND(clReleaseMemObject);
  ADDAX_FIND(clCreateCommandQueue);
  ADDAX_FIND(clReleaseCommandQueue);
  ADDAX_FIND(clFlush);
  ADDAX_FIND(clFinish);
  ADDAX_FIND(clEnqueueReadBuffer);
  ADDAX_FIND(clEnqueueWriteBuffer);
  ADDAX_FIND(clEnqueueCopyBuffer);
  ADDAX_FIND(clEnqueueFillBuffer);
  ADDAX_FIND(clEnqueueNDRangeKernel);
  ADDAX_FIND(clEnqueueMarkerWithWaitList);
  ADDAX_FIND(clEnqueueBarrierWithWaitList);
  ADDAX_FIND(clWaitForEvents);
  ADDAX_FIND(clGetEventInfo);
  ADDAX_FIND(clGetEventProfilingInfo);
  ADDAX_FIND(clReleaseEvent);
  ADDAX_FIND(clCreateProgramWithSource);
  ADDAX_FIND(clCreateProgramWithBinary);
  ADDAX_FIND(clGetProgramInfo);
  ADDAX_FIND(clBuildProgram);
  ADDAX_FIND(clGetProgramBuildInfo);
  ADDAX_FIND(clReleaseProgram);
  ADDAX_FIND(clCreateKernel);
  ADDAX_FIND(clSetKernelArg);
  ADDAX_FIND(clGetKernelWorkGroupInfo);
  ADDAX_FIND(clReleaseKernel);
#undef ADDAX_FIND
  return found;
}

}  // namespace

const Api& api() {
  static const Api loaded = load();
  return loaded;
}

}  // namespace addax::opencl
