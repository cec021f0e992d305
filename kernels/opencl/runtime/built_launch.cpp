#include "opencl/runtime/built_launch.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

#include "opencl/driver/error.h"

namespace addax::opencl {
namespace {

bool admit(const Limits& limits, const KernelLimits& kernel, const std::vector<size_t>& group) {
  const size_t items = std::accumulate(group.begin(), group.end(), size_t{1}, std::multiplies<>());
  return items <= kernel.work_group && kernel.local_bytes <= limits.local_bytes &&
         std::equal(group.begin(), group.end(), limits.axis_items.begin(),
                    [](size_t here, size_t most) { return here <= most; });
}

[[noreturn]] void refuse(const Device& device, const Node& node, const BuiltLaunch& launch) {
  const KernelLimits kernel = device.kernel_limits(launch.kernel());
  throw plugin::Failure{
      ADX_UNSUPPORTED,
      describe(node, "its kernel " + launch.launch().kernel() + " runs in no work-group of " +
                         device.name() + ", which admits " + std::to_string(kernel.work_group) +
                         " items of it and has " + std::to_string(device.limits().local_bytes) +
                         " of the " + std::to_string(kernel.local_bytes) +
                         " bytes of local memory that one takes; use another device")};
}

}  // namespace

BuiltLaunch::BuiltLaunch(Device& device, Launch launch)
    : launch_(std::move(launch)),
      kernel_(device.kernel(launch_.source(), launch_.kernel())),
      fits_(admit(device.limits(), device.kernel_limits(kernel_.get()), launch_.local())) {}

void BuiltLaunch::enqueue(cl_command_queue queue, cl_event* event) const {
  check(api().clEnqueueNDRangeKernel(queue, kernel(), static_cast<cl_uint>(launch_.global().size()),
                                     nullptr, launch_.global().data(), launch_.local().data(), 0,
                                     nullptr, event),
        "clEnqueueNDRangeKernel");
}

std::vector<BuiltLaunch> build(Device& device, std::vector<Launch> launches) {
  std::vector<BuiltLaunch> built;
  for (Launch& launch : launches) {
    built.emplace_back(device, std::move(launch));
    if (!built.back().fits()) break;
  }
  return built;
}

std::vector<BuiltLaunch> build(Device& device, const Node& node, int32_t index) {
  for (Limits limits = device.limits();; limits.work_group /= 2) {
    std::vector<Launch> launches = lower(limits, device.tiles(), node, index);
    std::vector<BuiltLaunch> built =
        at_node(node, [&] { return build(device, std::move(launches)); });
    if (built.empty() || built.back().fits()) return built;
    if (limits.work_group == 1) refuse(device, node, built.back());
  }
}

}  // namespace addax::opencl
