#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "device/buffer.h"

namespace addax {

struct MemoryInfo {
  uint64_t bytes_in_use = 0;  // capacity of the blocks handed out
  uint64_t bytes_cached = 0;  // capacity of the blocks kept for reuse
  uint64_t peak_bytes_in_use = 0;
};

// Keeps freed blocks and hands them out again. Sizes are rounded up to classes (multiples of 64
// bytes, above 1 KiB eight per doubling, so that at most an eighth is wasted); a block serves its
// class only. Thread-safe.
class CachingAllocator {
 public:
  explicit CachingAllocator(Device& device);
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  // Contents are undefined; 0 bytes are allowed. When the device has no memory left, gives back
  // whatever is idle and tries once more, then throws OutOfMemoryError that says how much was asked
  // for and how much is in use.
  Buffer alloc(uint64_t bytes);
  Buffer wrap(void* host, uint64_t bytes, std::shared_ptr<void> owner);

  MemoryInfo info() const;
  // Gives all idle memory back to the device: what reclaimers drop, and the cached blocks. Returns
  // the bytes.
  uint64_t trim();

  // `reclaim` drops buffers that somebody keeps without using them.
  void add_reclaimer(std::function<void()> reclaim);

  static uint64_t size_class(uint64_t bytes);

 private:
  friend class Buffer;
  void release(Block* block) noexcept;

  Buffer hand_out(adx_buffer* handle, void* host, uint64_t bytes, uint64_t capacity,
                  std::shared_ptr<void> owner);
  // Null, with the reason, when the device has no memory left.
  adx_buffer* try_alloc(uint64_t capacity, std::string& reason);
  uint64_t free_cached();

  Device& device_;
  mutable std::mutex mutex_;
  std::vector<std::vector<Block*>> free_;  // by number of the size class
  std::deque<Block> blocks_;               // all that ever were
  std::vector<Block*> spare_;              // those without memory
  std::vector<std::function<void()>> reclaimers_;
  MemoryInfo info_;
};

}  // namespace addax
