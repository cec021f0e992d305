#include "device/allocator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>

#include "core/error.h"
#include "device/device.h"
#include "device/status.h"

namespace addax {
namespace {

constexpr uint64_t kLargest = uint64_t{1} << 62;

// Sizes between 2^(shift+3) and 2^(shift+4) are rounded to multiples of 2^shift.
int class_shift(uint64_t bytes) {
  return std::max(6, static_cast<int>(std::bit_width(bytes - 1)) - 4);
}

// Classes are numbered by size: 16 multiples of 64, then 8 per doubling.
size_t class_number(uint64_t capacity) {
  const int shift = class_shift(capacity);
  return static_cast<size_t>(shift - 6) * 8 + static_cast<size_t>(capacity >> shift);
}

std::string readable(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  auto value = static_cast<double>(bytes);
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

}  // namespace

uint64_t CachingAllocator::size_class(uint64_t bytes) {
  bytes = std::max<uint64_t>(bytes, 1);
  const uint64_t step = uint64_t{1} << class_shift(bytes);
  return (bytes + step - 1) / step * step;
}

CachingAllocator::CachingAllocator(Device& device) : device_(device) {}

CachingAllocator::~CachingAllocator() { free_cached(); }

Buffer CachingAllocator::alloc(uint64_t bytes) {
  const uint64_t capacity = bytes > kLargest ? bytes : size_class(bytes);
  {
    const std::lock_guard lock(mutex_);
    const size_t number = class_number(capacity);
    if (number < free_.size() && !free_[number].empty()) {
      Block* const block = free_[number].back();
      free_[number].pop_back();
      block->bytes = bytes;
      info_.bytes_cached -= capacity;
      info_.bytes_in_use += capacity;
      info_.peak_bytes_in_use = std::max(info_.peak_bytes_in_use, info_.bytes_in_use);
      return Buffer(block);
    }
  }
  std::string reason;
  adx_buffer* handle = try_alloc(capacity, reason);
  if (handle == nullptr) {
    trim();
    handle = try_alloc(capacity, reason);
  }
  if (handle == nullptr) {
    throw OutOfMemoryError("[" + device_.name() + "] no memory for " + readable(bytes) + " (" +
                           readable(info().bytes_in_use) + " in use by tensors, " +
                           readable(device_.properties().total_memory) + " in all): " + reason +
                           "; use a smaller batch or model, or drop tensors");
  }
  void* host = nullptr;
  if (device_.has_unified_memory() && device_.api().map != nullptr) {
    try {
      Status status;
      host = device_.api().map(device_.handle(), handle, status.get());
      status.made(host, "map", device_.name());
    } catch (...) {
      device_.api().free(device_.handle(), handle);
      throw;
    }
  }
  return hand_out(handle, host, bytes, capacity, nullptr);
}

Buffer CachingAllocator::wrap(void* host, uint64_t bytes, std::shared_ptr<void> owner) {
  if (!device_.can_wrap()) {
    throw UnsupportedError("[" + device_.name() +
                           "] cannot use memory of the host in place; copy it");
  }
  Status status;
  adx_buffer* const handle =
      device_.api().wrap(device_.handle(), host, std::max<uint64_t>(bytes, 1), status.get());
  status.made(handle, "wrap", device_.name());
  return hand_out(handle, host, bytes, 0, std::move(owner));
}

Buffer CachingAllocator::hand_out(adx_buffer* handle, void* host, uint64_t bytes, uint64_t capacity,
                                  std::shared_ptr<void> owner) {
  const std::lock_guard lock(mutex_);
  if (spare_.empty()) {
    spare_.reserve(blocks_.size() + 1);  // so that release() need not allocate
    spare_.push_back(&blocks_.emplace_back());
  }
  if (capacity != 0) {
    const size_t number = class_number(capacity);
    if (number >= free_.size()) free_.resize(number + 1);
  }
  Block* const block = spare_.back();
  spare_.pop_back();
  block->device = &device_;
  block->handle = handle;
  block->host = host;
  block->bytes = bytes;
  block->capacity = capacity;
  block->owner = std::move(owner);
  info_.bytes_in_use += capacity;
  info_.peak_bytes_in_use = std::max(info_.peak_bytes_in_use, info_.bytes_in_use);
  return Buffer(block);
}

adx_buffer* CachingAllocator::try_alloc(uint64_t capacity, std::string& reason) {
  const uint64_t largest = device_.properties().largest_allocation;
  if (capacity > kLargest || (largest != 0 && capacity > largest)) {
    reason = "the largest possible allocation is " + readable(largest == 0 ? kLargest : largest);
    return nullptr;
  }
  device_.check_process();
  Status status;
  adx_buffer* const handle = device_.api().alloc(device_.handle(), capacity, status.get());
  if (status.code() == ADX_OUT_OF_MEMORY) {
    reason = status.message().empty() ? "the device has none left" : status.message();
    return nullptr;
  }
  return status.made(handle, "alloc", device_.name());
}

uint64_t CachingAllocator::trim() {
  std::vector<std::function<void()>> reclaimers;
  {
    const std::lock_guard lock(mutex_);
    reclaimers = reclaimers_;
  }
  for (const std::function<void()>& drop_idle : reclaimers) drop_idle();
  return free_cached();
}

void CachingAllocator::release(Block* block) noexcept {
  std::shared_ptr<void> owner = std::move(block->owner);  // ends after the lock: it may be anything
  if (block->capacity == 0) device_.api().free(device_.handle(), block->handle);
  const std::lock_guard lock(mutex_);
  if (block->capacity == 0) {
    spare_.push_back(block);
    return;
  }
  info_.bytes_in_use -= block->capacity;
  try {
    free_[class_number(block->capacity)].push_back(block);
    info_.bytes_cached += block->capacity;
  } catch (const std::bad_alloc&) {
    device_.api().free(device_.handle(), block->handle);
    spare_.push_back(block);
  }
}

MemoryInfo CachingAllocator::info() const {
  const std::lock_guard lock(mutex_);
  return info_;
}

uint64_t CachingAllocator::free_cached() {
  const std::lock_guard lock(mutex_);
  for (std::vector<Block*>& blocks : free_) {
    for (Block* block : blocks) {
      device_.api().free(device_.handle(), block->handle);
      spare_.push_back(block);
    }
    blocks.clear();
    blocks.shrink_to_fit();
  }
  return std::exchange(info_.bytes_cached, 0);
}

void CachingAllocator::add_reclaimer(std::function<void()> reclaim) {
  const std::lock_guard lock(mutex_);
  reclaimers_.push_back(std::move(reclaim));
}

}  // namespace addax
