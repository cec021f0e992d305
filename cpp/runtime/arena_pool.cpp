#include "runtime/arena_pool.h"

#include <algorithm>
#include <map>
#include <memory>

namespace addax {

// The pools live for ever, as devices do.
ArenaPool& ArenaPool::of(Device& device) {
  struct Pools {
    std::mutex mutex;
    std::map<Device*, std::unique_ptr<ArenaPool>> by_device;
  };
  static Pools& pools = *std::make_unique<Pools>().release();
  const std::lock_guard lock(pools.mutex);
  std::unique_ptr<ArenaPool>& pool = pools.by_device[&device];
  if (!pool) pool = std::make_unique<ArenaPool>(device);
  return *pool;
}

ArenaPool::ArenaPool(Device& device) : device_(device) {
  device_.allocator().add_reclaimer([this] { trim(); });
}

// The most recently used context that is large enough, for its memory is in the caches; else the
// largest one grows.
ArenaPool::Lease ArenaPool::borrow(uint64_t arena_bytes) {
  const auto size_of_arena = [](const RunContext& context) {
    return context.arena ? context.arena.bytes() : 0;
  };
  std::unique_lock lock(mutex_);
  if (idle_.empty()) {
    idle_.reserve(++contexts_);  // so that give_back() need not allocate
    lock.unlock();
    RunContext context{device_.queue(), {}};
    if (arena_bytes > 0) context.arena = device_.alloc(arena_bytes);
    return {*this, std::move(context)};
  }
  auto chosen = std::find_if(idle_.rbegin(), idle_.rend(), [&](const RunContext& context) {
    return size_of_arena(context) >= arena_bytes;
  });
  if (chosen == idle_.rend()) {
    chosen = std::max_element(idle_.rbegin(), idle_.rend(),
                              [&](const RunContext& a, const RunContext& b) {
                                return size_of_arena(a) < size_of_arena(b);
                              });
  }
  std::swap(*chosen, idle_.back());
  RunContext context = std::move(idle_.back());
  idle_.pop_back();
  lock.unlock();
  if (size_of_arena(context) < arena_bytes) {
    context.arena = {};
    context.arena = device_.alloc(arena_bytes);
  }
  return {*this, std::move(context)};
}

void ArenaPool::trim() {
  const std::lock_guard lock(mutex_);
  for (RunContext& context : idle_) context.arena = {};
}

void ArenaPool::give_back(RunContext context) noexcept {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(context));
}

}  // namespace addax
