#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/program.h"

namespace addax {

struct ProgramCacheInfo {
  size_t size = 0;
  size_t capacity = 0;
  uint64_t hits = 0;
  uint64_t misses = 0;
};

// Compiled programs by signature; the one unused longest goes first. Thread-safe; a program that is
// evicted lives on as long as somebody holds it.
class ProgramCache {
 public:
  explicit ProgramCache(size_t capacity = 512) : capacity_(capacity) {}

  // Null when it is not there. Counts a hit or a miss.
  std::shared_ptr<Program> find(std::string_view key);
  // Replaces an entry of the same key.
  void insert(std::string key, std::shared_ptr<Program> program);
  // `compile` is called without the lock; when two threads compile the same, the first result
  // stays.
  std::shared_ptr<Program> get_or_compile(std::string_view key,
                                          const std::function<std::shared_ptr<Program>()>& compile);

  void set_capacity(size_t capacity);
  void clear();
  ProgramCacheInfo info() const;

 private:
  using Entry = std::pair<std::string, std::shared_ptr<Program>>;

  void evict_locked(std::list<Entry>& dropped);

  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator>
      by_key_;  // keys live in entries_
  size_t capacity_;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
};

}  // namespace addax
