#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "addax/device.h"

namespace addax {

class Device;

// One allocation of a device. Blocks belong to their device's allocator, which reuses them; only
// Buffer touches the reference count.
struct Block {
  Device* device = nullptr;
  adx_buffer* handle = nullptr;
  void* host = nullptr;         // where the device maps buffers at no cost
  uint64_t bytes = 0;           // as asked for
  uint64_t capacity = 0;        // as allocated; 0 for wrapped memory
  std::shared_ptr<void> owner;  // keeps wrapped memory alive
  std::atomic<uint32_t> references{0};
};

// Shared handle to memory of a device. The last handle gives the memory back to the device's cache
// (or drops the owner of wrapped memory). Copies may be made and destroyed by any thread.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer& other) : block_(other.block_) { retain(); }
  Buffer(Buffer&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Buffer() { release(); }

  explicit operator bool() const { return block_ != nullptr; }

  // The rest requires a buffer that is not empty.
  Device& device() const { return *block_->device; }
  adx_buffer* handle() const { return block_->handle; }
  uint64_t bytes() const { return block_->bytes; }
  // Address in host memory, or null on a device without unified memory.
  void* host() const { return block_->host; }
  // Whether the memory belongs to someone else (`Device::wrap`).
  bool is_wrapped() const { return block_->capacity == 0; }
  // Whether this is the only handle, so that the contents may be overwritten unseen.
  bool is_unique() const { return block_->references.load(std::memory_order_acquire) == 1; }

  bool operator==(const Buffer& other) const { return block_ == other.block_; }

 private:
  friend class CachingAllocator;
  explicit Buffer(Block* block) : block_(block) { retain(); }

  void retain() const {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept;

  Block* block_ = nullptr;
};

}  // namespace addax
