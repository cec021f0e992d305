#include "cpu/runtime/scratch.h"

#include <algorithm>
#include <mutex>
#include <new>
#include <string>
#include <utility>

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

  void grow(std::size_t wanted) {
    if (bytes >= wanted) return;
    data = nullptr;
    bytes = 0;
    void* memory = ::operator new[](wanted, kAlignment, std::nothrow);
    if (memory == nullptr) {
      throw OutOfMemoryError("[cpu] cannot allocate " + std::to_string(wanted) +
                             " bytes of scratch memory; use a smaller batch");
    }
    data.reset(static_cast<std::byte*>(memory));
    bytes = wanted;
  }
};

using Buffers = std::array<Buffer, kScratchUses>;

// What leases that have ended leave to those that begin.
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

// Never destroyed: leases may end when the process does.
Heritage& heritage() {
  static Heritage& heritage = *std::make_unique<Heritage>().release();
  return heritage;
}

thread_local Buffers* leased = nullptr;
thread_local std::size_t last_share = 0;  // whose memory is in this core's cache

}  // namespace

void* thread_scratch_bytes(Scratch use, std::size_t bytes) {
  thread_local Buffers own;
  Buffer& buffer = (leased != nullptr ? *leased : own)[static_cast<std::size_t>(use)];
  buffer.grow(bytes);
  return buffer.data.get();
}

void ScratchNeeds::add(Scratch use, int64_t bytes) {
  std::size_t& most = bytes_[static_cast<std::size_t>(use)];
  most = std::max(most, static_cast<std::size_t>(bytes));
}

void ScratchNeeds::add(const ScratchNeeds& other) {
  for (std::size_t use = 0; use < kScratchUses; ++use) {
    bytes_[use] = std::max(bytes_[use], other.bytes_[use]);
  }
}

struct ScratchLease::Share {
  Buffers buffers = heritage().take();
  std::atomic<bool> taken = false;

  Share() = default;
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;
  ~Share() { heritage().leave(std::move(buffers)); }
};

ScratchLease::ScratchLease(const ScratchNeeds& needs, int threads) {
  for (int i = 0; i < threads; ++i) {
    Buffers& buffers = shares_.emplace_back(std::make_unique<Share>())->buffers;
    for (std::size_t use = 0; use < kScratchUses; ++use) {
      buffers[use].grow(needs[static_cast<Scratch>(use)]);
    }
  }
}

ScratchLease::~ScratchLease() = default;

ScratchLease::Use::Use(ScratchLease& lease) {
  const std::size_t count = lease.shares_.size();
  std::size_t i = last_share % count;
  while (lease.shares_[i]->taken.exchange(true, std::memory_order_acquire)) i = (i + 1) % count;
  last_share = i;
  leased = &lease.shares_[i]->buffers;
  taken_ = &lease.shares_[i]->taken;
}

ScratchLease::Use::~Use() {
  leased = nullptr;
  taken_->store(false, std::memory_order_release);
}

}  // namespace addax::cpu
