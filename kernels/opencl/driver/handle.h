#pragma once

#include <utility>

#include "opencl/driver/cl.h"
#include "opencl/driver/exit.h"

namespace addax::opencl {

// One reference to an object of OpenCL, released at the end, but not at the process's.
template <class T, cl_int (*Api::*kRelease)(T)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T object) : object_(object) {}
  Handle(Handle&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (object_ != nullptr && !is_exiting()) (api().*kRelease)(object_);
  }

  T get() const { return object_; }

 private:
  T object_ = nullptr;
};

using Context = Handle<cl_context, &Api::clReleaseContext>;
using Memory = Handle<cl_mem, &Api::clReleaseMemObject>;
using Queue = Handle<cl_command_queue, &Api::clReleaseCommandQueue>;
using Event = Handle<cl_event, &Api::clReleaseEvent>;
using ClProgram = Handle<cl_program, &Api::clReleaseProgram>;
using Kernel = Handle<cl_kernel, &Api::clReleaseKernel>;

}  // namespace addax::opencl
