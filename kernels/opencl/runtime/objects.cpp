#include "opencl/runtime/objects.h"

#include <atomic>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "addax/device.hpp"
#include "opencl/driver/error.h"

namespace plugin = addax::plugin;
using namespace addax::opencl;

namespace {

std::atomic<uint64_t> buffers{0};

// The host waits for a queue soon, which it cannot do for work that the driver holds back.
void flush(cl_command_queue commands) { check(api().clFlush(commands), "clFlush"); }

void check_range(const adx_location& location, uint64_t bytes) {
  const adx_buffer* const buffer = location.buffer;
  if (buffer == nullptr) {
    if (location.host == nullptr) {
      throw plugin::Failure{ADX_INVALID_ARGUMENT, "a transfer without an address"};
    }
  } else if (location.offset > buffer->bytes || bytes > buffer->bytes - location.offset) {
    throw plugin::Failure{ADX_OUT_OF_RANGE, "a transfer of " + std::to_string(bytes) +
                                                " bytes leaves its buffer of " +
                                                std::to_string(buffer->bytes)};
  }
}

std::byte* host_address(const adx_location& location) {
  return static_cast<std::byte*>(location.host) + location.offset;
}

// On the device's clock, in nanoseconds.
std::optional<cl_ulong> time_of(const adx_event& event) {
  if (event.marker.get() == nullptr) return std::nullopt;
  cl_ulong time = 0;
  const cl_int code = api().clGetEventProfilingInfo(event.marker.get(), CL_PROFILING_COMMAND_END,
                                                    sizeof time, &time, nullptr);
  return code == CL_SUCCESS ? std::optional(time) : std::nullopt;
}

}  // namespace

adx_buffer::adx_buffer(Memory content, uint64_t size)
    : memory(std::move(content)), bytes(size), serial(++buffers) {}

bool adx_event::has_happened() const {
  if (marker.get() == nullptr) return true;
  cl_int state = CL_COMPLETE;
  const cl_int code = api().clGetEventInfo(marker.get(), CL_EVENT_COMMAND_EXECUTION_STATUS,
                                           sizeof state, &state, nullptr);
  // Work that failed is over, too; who synchronises its queue is told.
  return code != CL_SUCCESS || state <= CL_COMPLETE;
}

double adx_event::elapsed_us(const adx_event& from) const {
  constexpr double kUnknown = -1;
  const std::optional<cl_ulong> begin = time_of(from);
  const std::optional<cl_ulong> end = time_of(*this);
  if (!begin || !end) return kUnknown;
  return (static_cast<double>(*end) - static_cast<double>(*begin)) / 1e3;
}

void adx_queue::synchronize() const { check(api().clFinish(commands.get()), "clFinish"); }

void adx_queue::copy(const adx_location& from, const adx_location& to, uint64_t bytes) const {
  check_range(from, bytes);
  check_range(to, bytes);
  if (bytes == 0) return;
  if (from.buffer != nullptr && to.buffer != nullptr) {
    check(api().clEnqueueCopyBuffer(commands.get(), from.buffer->memory.get(),
                                    to.buffer->memory.get(), from.offset, to.offset, bytes, 0,
                                    nullptr, nullptr),
          "clEnqueueCopyBuffer");
  } else if (from.buffer != nullptr) {
    check(api().clEnqueueReadBuffer(commands.get(), from.buffer->memory.get(), 0, from.offset,
                                    bytes, host_address(to), 0, nullptr, nullptr),
          "clEnqueueReadBuffer");
  } else if (to.buffer != nullptr) {
    check(api().clEnqueueWriteBuffer(commands.get(), to.buffer->memory.get(), 0, to.offset, bytes,
                                     host_address(from), 0, nullptr, nullptr),
          "clEnqueueWriteBuffer");
  } else {
    synchronize();
    std::memcpy(host_address(to), host_address(from), bytes);
  }
  flush(commands.get());
}

void adx_queue::fill(const adx_location& to, uint8_t value, uint64_t bytes) const {
  check_range(to, bytes);
  if (bytes == 0) return;
  if (to.buffer == nullptr) {
    synchronize();
    std::memset(host_address(to), value, bytes);
    return;
  }
  check(api().clEnqueueFillBuffer(commands.get(), to.buffer->memory.get(), &value, sizeof value,
                                  to.offset, bytes, 0, nullptr, nullptr),
        "clEnqueueFillBuffer");
  flush(commands.get());
}

void adx_queue::record(adx_event& event) const {
  cl_event marker = nullptr;
  check(api().clEnqueueMarkerWithWaitList(commands.get(), 0, nullptr, &marker),
        "clEnqueueMarkerWithWaitList");
  event.marker = Event(marker);
  // Another queue that waits for it must not wait for a command that the driver holds back.
  flush(commands.get());
}

void adx_queue::wait(const adx_event& event) const {
  const cl_event marker = event.marker.get();
  if (marker == nullptr) return;
  check(api().clEnqueueBarrierWithWaitList(commands.get(), 1, &marker, nullptr),
        "clEnqueueBarrierWithWaitList");
}
