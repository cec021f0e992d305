#include "cpu/queue.h"

#include <cstring>
#include <memory>
#include <string>

#include "cpu/memory.h"
#include "cpu/status.h"

struct adx_queue {};

namespace addax::cpu {
namespace {

std::byte* address(const adx_location& location, uint64_t bytes) {
  if (location.buffer == nullptr) return static_cast<std::byte*>(location.host) + location.offset;
  const adx_buffer& buffer = *location.buffer;
  if (location.offset > buffer.bytes || bytes > buffer.bytes - location.offset) {
    throw OutOfRangeError("[cpu] bytes " + std::to_string(location.offset) + " to " +
                          std::to_string(location.offset + bytes) + " leave a buffer of " +
                          std::to_string(buffer.bytes) + " bytes");
  }
  return buffer.data + location.offset;
}

}  // namespace

adx_queue* queue_create(adx_device*, adx_status* status) {
  return guarded(status, [] { return std::make_unique<adx_queue>().release(); });
}

void queue_destroy(adx_device*, adx_queue* queue) { const std::unique_ptr<adx_queue> end(queue); }

void queue_synchronize(adx_device*, adx_queue*, adx_status*) {}

void queue_copy(adx_device*, adx_queue*, const adx_location* from, const adx_location* to,
                uint64_t bytes, adx_status* status) {
  guarded(status, [&] {
    if (bytes > 0) std::memmove(address(*to, bytes), address(*from, bytes), bytes);
  });
}

void queue_fill(adx_device*, adx_queue*, const adx_location* to, uint8_t value, uint64_t bytes,
                adx_status* status) {
  guarded(status, [&] {
    if (bytes > 0) std::memset(address(*to, bytes), value, bytes);
  });
}

}  // namespace addax::cpu
