#include "opencl/runtime/events.h"

#include <memory>
#include <optional>

#include "addax/device.hpp"
#include "opencl/driver/error.h"
#include "opencl/runtime/objects.h"

namespace addax::opencl {
namespace {

using plugin::guarded;

// On the device's clock, in nanoseconds.
std::optional<cl_ulong> time_of(const adx_event& event) {
  if (event.marker.get() == nullptr) return std::nullopt;
  cl_ulong time = 0;
  const cl_int code = api().clGetEventProfilingInfo(event.marker.get(), CL_PROFILING_COMMAND_END,
                                                    sizeof time, &time, nullptr);
  return code == CL_SUCCESS ? std::optional(time) : std::nullopt;
}

}  // namespace

adx_event* event_create(adx_device*, adx_status* status) {
  return guarded(status, [] { return std::make_unique<adx_event>().release(); });
}

void event_destroy(adx_device*, adx_event* event) { const std::unique_ptr<adx_event> end(event); }

void event_record(adx_device*, adx_queue* queue, adx_event* event, adx_status* status) {
  guarded(status, [&] {
    cl_event marker = nullptr;
    check(api().clEnqueueMarkerWithWaitList(queue->queue.get(), 0, nullptr, &marker),
          "clEnqueueMarkerWithWaitList");
    event->marker = Event(marker);
    // Another queue that waits for it must not wait for a command that the driver holds back.
    check(api().clFlush(queue->queue.get()), "clFlush");
  });
}

void event_wait(adx_device*, adx_queue* queue, adx_event* event, adx_status* status) {
  guarded(status, [&] {
    const cl_event marker = event->marker.get();
    if (marker == nullptr) return;
    check(api().clEnqueueBarrierWithWaitList(queue->queue.get(), 1, &marker, nullptr),
          "clEnqueueBarrierWithWaitList");
  });
}

int32_t event_query(adx_device*, adx_event* event) {
  if (event->marker.get() == nullptr) return 1;
  cl_int state = CL_COMPLETE;
  const cl_int code = api().clGetEventInfo(event->marker.get(), CL_EVENT_COMMAND_EXECUTION_STATUS,
                                           sizeof state, &state, nullptr);
  // Work that failed is over, too; who synchronises its queue is told.
  return code != CL_SUCCESS || state <= CL_COMPLETE ? 1 : 0;
}

double event_elapsed_us(adx_device*, adx_event* from, adx_event* to) {
  constexpr double kUnknown = -1;
  const std::optional<cl_ulong> begin = time_of(*from);
  const std::optional<cl_ulong> end = time_of(*to);
  if (!begin || !end) return kUnknown;
  return (static_cast<double>(*end) - static_cast<double>(*begin)) / 1e3;
}

}  // namespace addax::opencl
