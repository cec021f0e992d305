#include "opencl/runtime/kernel_times.h"

#include <algorithm>

#include "opencl/driver/error.h"

namespace addax::opencl {
namespace {

cl_ulong time_of(const Event& event, cl_uint what) {
  cl_ulong time = 0;
  check(api().clGetEventProfilingInfo(event.get(), what, sizeof time, &time, nullptr),
        "clGetEventProfilingInfo");
  return time;
}

double bytes_of(const Node& node) {
  uint64_t bytes = 0;
  for (const Tensor& tensor : node.inputs()) bytes += tensor.bytes();
  for (const Tensor& tensor : node.outputs()) bytes += tensor.bytes();
  return static_cast<double>(bytes);
}

}  // namespace

// Both clocks saw every kernel being enqueued, most sharply the one where that was shortest.
uint64_t KernelTimes::clock_offset() const {
  const auto sharpest =
      std::min_element(runs_.begin(), runs_.end(),
                       [](const Run& a, const Run& b) { return a.enqueueing < b.enqueueing; });
  const auto host =
      std::chrono::duration_cast<std::chrono::nanoseconds>(sharpest->enqueued.time_since_epoch());
  return static_cast<uint64_t>(host.count()) -
         time_of(sharpest->event, CL_PROFILING_COMMAND_QUEUED);
}

void KernelTimes::report(const adx_host& host) {
  if (runs_.empty()) return;
  const uint64_t offset = clock_offset();
  for (const Run& run : runs_) {
    const cl_ulong begin = time_of(run.event, CL_PROFILING_COMMAND_START);
    const cl_ulong end = time_of(run.event, CL_PROFILING_COMMAND_END);
    host.trace_span(run.node->op().c_str(), run.node->label().c_str(), begin + offset,
                    std::max(begin, end) + offset, run.first_of_node ? run.node->flops() : 0,
                    run.first_of_node ? bytes_of(*run.node) : 0);
  }
  runs_.clear();
}

}  // namespace addax::opencl
