#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "device/device.h"

namespace addax {

// What a run needs besides its bindings: a queue, and scratch memory.
struct RunContext {
  QueueLease queue;
  Buffer arena;
};

// The contexts of a device that are idle. A run borrows one, so that arenas exist per concurrent
// run and not per program, each as large as the largest program that used it. Thread-safe.
class ArenaPool {
 public:
  // The device's pool; lives for ever.
  static ArenaPool& of(Device& device);

  explicit ArenaPool(Device& device);
  ArenaPool(const ArenaPool&) = delete;
  ArenaPool& operator=(const ArenaPool&) = delete;

  class Lease {
   public:
    Lease(ArenaPool& pool, RunContext context) : pool_(pool), context_(std::move(context)) {}
    ~Lease() { pool_.give_back(std::move(context_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    const QueueLease& queue() const { return context_.queue; }
    const Buffer& arena() const { return context_.arena; }  // empty when 0 bytes were asked for

   private:
    ArenaPool& pool_;
    RunContext context_;
  };

  // Throws OutOfMemoryError when the arena cannot be had.
  Lease borrow(uint64_t arena_bytes);
  // Frees the arenas of idle contexts.
  void trim();

 private:
  void give_back(RunContext context) noexcept;

  Device& device_;
  std::mutex mutex_;
  std::vector<RunContext> idle_;
  size_t contexts_ = 0;  // idle or not
};

}  // namespace addax
