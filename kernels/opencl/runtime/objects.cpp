#include "opencl/runtime/objects.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "addax/device.hpp"
#include "opencl/driver/error.h"

namespace addax::opencl {
namespace {

using plugin::guarded;

// The host waits for a queue soon, which it cannot do for work that the driver holds back.
void flush(const adx_queue& queue) { check(api().clFlush(queue.queue.get()), "clFlush"); }

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

}  // namespace

adx_buffer* buffer_alloc(adx_device* device, uint64_t bytes, adx_status* status) {
  return guarded(status, [&]() -> adx_buffer* {
    if (bytes == 0) throw plugin::Failure{ADX_INVALID_ARGUMENT, "an allocation of 0 bytes"};
    static std::atomic<uint64_t> buffers{0};
    Memory memory = device->allocate(bytes);
    return std::make_unique<adx_buffer>(adx_buffer{std::move(memory), bytes, ++buffers}).release();
  });
}

void buffer_free(adx_device*, adx_buffer* buffer) { const std::unique_ptr<adx_buffer> end(buffer); }

adx_queue* queue_create(adx_device* device, adx_status* status) {
  return guarded(status, [&]() -> adx_queue* {
    return std::make_unique<adx_queue>(adx_queue{device->make_queue()}).release();
  });
}

void queue_destroy(adx_device*, adx_queue* queue) { const std::unique_ptr<adx_queue> end(queue); }

void queue_synchronize(adx_device*, adx_queue* queue, adx_status* status) {
  guarded(status, [&] { check(api().clFinish(queue->queue.get()), "clFinish"); });
}

void queue_copy(adx_device*, adx_queue* queue, const adx_location* from, const adx_location* to,
                uint64_t bytes, adx_status* status) {
  guarded(status, [&] {
    check_range(*from, bytes);
    check_range(*to, bytes);
    if (bytes == 0) return;
    const cl_command_queue q = queue->queue.get();
    if (from->buffer != nullptr && to->buffer != nullptr) {
      check(api().clEnqueueCopyBuffer(q, from->buffer->memory.get(), to->buffer->memory.get(),
                                      from->offset, to->offset, bytes, 0, nullptr, nullptr),
            "clEnqueueCopyBuffer");
    } else if (from->buffer != nullptr) {
      check(api().clEnqueueReadBuffer(q, from->buffer->memory.get(), 0, from->offset, bytes,
                                      host_address(*to), 0, nullptr, nullptr),
            "clEnqueueReadBuffer");
    } else if (to->buffer != nullptr) {
      check(api().clEnqueueWriteBuffer(q, to->buffer->memory.get(), 0, to->offset, bytes,
                                       host_address(*from), 0, nullptr, nullptr),
            "clEnqueueWriteBuffer");
    } else {
      check(api().clFinish(q), "clFinish");
      std::memcpy(host_address(*to), host_address(*from), bytes);
    }
    flush(*queue);
  });
}

void queue_fill(adx_device*, adx_queue* queue, const adx_location* to, uint8_t value,
                uint64_t bytes, adx_status* status) {
  guarded(status, [&] {
    check_range(*to, bytes);
    if (bytes == 0) return;
    const cl_command_queue q = queue->queue.get();
    if (to->buffer == nullptr) {
      check(api().clFinish(q), "clFinish");
      std::memset(host_address(*to), value, bytes);
      return;
    }
    check(api().clEnqueueFillBuffer(q, to->buffer->memory.get(), &value, sizeof value, to->offset,
                                    bytes, 0, nullptr, nullptr),
          "clEnqueueFillBuffer");
    flush(*queue);
  });
}

}  // namespace addax::opencl
