#include "cpu/runtime/scratch.h"

#include <array>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace addax::cpu {
namespace {

constexpr std::align_val_t kAlignment{64};

struct Free {
  void operator()(std::byte* p) const { ::operator delete[](p, kAlignment); }
};

struct Buffer {
  std::unique_ptr<std::byte[], Free> data;
  std::size_t bytes = 0;
};

using Buffers = std::array<Buffer, static_cast<std::size_t>(Scratch::kCount)>;

// What threads that have ended leave to those that begin.
class Heritage {
 public:
  Buffers take() {
    const std::lock_guard lock(mutex_);
    if (left_.empty()) return {};
    Buffers buffers = std::move(left_.back());
    left_.pop_back();
    return buffers;
  }

  void leave(Buffers buffers) noexcept {
    const std::lock_guard lock(mutex_);
    try {
      left_.push_back(std::move(buffers));
    } catch (const std::bad_alloc&) {
      // Then they are freed.
    }
  }

 private:
  std::mutex mutex_;
  std::vector<Buffers> left_;
};

// Never destroyed: threads may end when the process does.
Heritage& heritage() {
  static Heritage& heritage = *std::make_unique<Heritage>().release();
  return heritage;
}

struct OfThread {
  Buffers buffers = heritage().take();

  OfThread() = default;
  OfThread(const OfThread&) = delete;
  OfThread& operator=(const OfThread&) = delete;
  ~OfThread() { heritage().leave(std::move(buffers)); }
};

}  // namespace

void* thread_scratch_bytes(Scratch use, std::size_t bytes) {
  thread_local OfThread own;
  Buffer& buffer = own.buffers[static_cast<std::size_t>(use)];
  if (buffer.bytes < bytes) {
    buffer = {};
    void* memory = ::operator new[](bytes, kAlignment, std::nothrow);
    if (memory == nullptr) {
      throw OutOfMemoryError("[cpu] cannot allocate " + std::to_string(bytes) +
                             " bytes of scratch memory; use a smaller batch");
    }
    buffer.data.reset(static_cast<std::byte*>(memory));
    buffer.bytes = bytes;
  }
  return buffer.data.get();
}

}  // namespace addax::cpu
