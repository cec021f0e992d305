#include "cpu/runtime/queue.h"

#include <cstring>
#include <string>

#include "core/error.h"
#include "cpu/runtime/memory.h"

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

void Queue::copy(const adx_location& from, const adx_location& to, uint64_t bytes) {
  if (bytes > 0) std::memmove(address(to, bytes), address(from, bytes), bytes);
}

void Queue::fill(const adx_location& to, uint8_t value, uint64_t bytes) {
  if (bytes > 0) std::memset(address(to, bytes), value, bytes);
}

}  // namespace addax::cpu
