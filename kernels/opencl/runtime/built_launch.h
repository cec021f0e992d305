#pragma once

#include <vector>

#include "opencl/device.h"
#include "opencl/lowering/lowering.h"

namespace addax::opencl {

// A launch and its kernel, which may admit smaller work-groups than the device: the driver knows
// what it takes of registers and of local memory.
class BuiltLaunch {
 public:
  BuiltLaunch(Device& device, Launch launch);

  const Launch& launch() const { return launch_; }
  cl_kernel kernel() const { return kernel_.get(); }
  // Whether the kernel runs in the launch's work-groups.
  bool fits() const { return fits_; }
  // Puts it into the queue; `event` may be null.
  void enqueue(cl_command_queue queue, cl_event* event) const;

 private:
  Launch launch_;
  Kernel kernel_;
  bool fits_;
};

// Launches with their kernels, up to the first that does not fit.
std::vector<BuiltLaunch> build(Device& device, std::vector<Launch> launches);

// The launches of a node, made for the largest work-groups, of a power of 2 of items, that all of
// their kernels run in. Throws plugin::Failure, ADX_UNSUPPORTED where not even one item does, and
// for a node that `lower` refuses.
std::vector<BuiltLaunch> build(Device& device, const Node& node, int32_t index);

}  // namespace addax::opencl
