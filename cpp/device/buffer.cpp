#include "device/buffer.h"

#include "device/device.h"

namespace addax {

void Buffer::release() noexcept {
  Block* const block = std::exchange(block_, nullptr);
  if (block == nullptr) return;
  if (block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    block->device->allocator().release(block);
  }
}

}  // namespace addax
