#include "runtime/program_cache.h"

namespace addax {

std::shared_ptr<Program> ProgramCache::find(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    ++misses_;
    return nullptr;
  }
  ++hits_;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->second;
}

void ProgramCache::insert(std::string key, std::shared_ptr<Program> program) {
  std::list<Entry> dropped;  // destroyed after the lock
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    found->second->second.swap(program);
    entries_.splice(entries_.begin(), entries_, found->second);
    return;
  }
  entries_.emplace_front(std::move(key), std::move(program));
  by_key_.emplace(entries_.front().first, entries_.begin());
  evict_locked(dropped);
}

std::shared_ptr<Program> ProgramCache::get_or_compile(
    std::string_view key, const std::function<std::shared_ptr<Program>()>& compile) {
  if (std::shared_ptr<Program> program = find(key)) return program;
  std::shared_ptr<Program> program = compile();
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) return found->second->second;
  }
  insert(std::string(key), program);
  return program;
}

void ProgramCache::set_capacity(size_t capacity) {
  std::list<Entry> dropped;
  const std::lock_guard lock(mutex_);
  capacity_ = capacity;
  evict_locked(dropped);
}

void ProgramCache::clear() {
  std::list<Entry> dropped;
  const std::lock_guard lock(mutex_);
  by_key_.clear();
  dropped.swap(entries_);
}

ProgramCacheInfo ProgramCache::info() const {
  const std::lock_guard lock(mutex_);
  return {entries_.size(), capacity_, hits_, misses_};
}

void ProgramCache::evict_locked(std::list<Entry>& dropped) {
  while (entries_.size() > capacity_) {
    by_key_.erase(entries_.back().first);
    dropped.splice(dropped.end(), entries_, std::prev(entries_.end()));
  }
}

}  // namespace addax
