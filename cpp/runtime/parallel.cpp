#include "runtime/parallel.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "core/env.h"
#include "core/error.h"
#include "runtime/flush_denormals.h"
#include "runtime/helper_pool.h"
#include "runtime/team.h"

#ifdef __SANITIZE_THREAD__
// oneTBB is not instrumented: its own memory accesses look unsynchronised.
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_suppressions() {
  return "called_from_lib:libtbb.so";
}
#endif

namespace addax {
namespace {

// Set in a child process that lost its helpers to fork.
std::atomic<bool> orphaned{false};
std::atomic<bool> fork_watched{false};

int initial_threads() {
  if (const std::optional<int64_t> asked = env::get_positive("ADDAX_NUM_THREADS")) {
    if (*asked > kMaxThreads) {
      throw InvalidArgumentError("ADDAX_NUM_THREADS must be at most " +
                                 std::to_string(kMaxThreads) + ", got " + std::to_string(*asked));
    }
    return static_cast<int>(*asked);
  }
  return std::clamp(HelperPool::default_threads(), 1, kMaxThreads);
}

struct Threads {
  std::atomic<int> count;
  std::mutex changing;
  Team team;

  Threads() : count(initial_threads()) { HelperPool::resize(count.load()); }
};

// Never destroyed: helpers may still be awake when the process ends.
Threads& threads() {
  static Threads& threads = *std::make_unique<Threads>().release();
  return threads;
}

void help(int slot) { threads().team.help(slot); }

void summon(int missing) noexcept {
  if (!fork_watched.exchange(true)) {
    pthread_atfork(nullptr, nullptr, [] { orphaned.store(true, std::memory_order_relaxed); });
  }
  Team& team = threads().team;
  team.announce(missing);
  const int summoned = HelperPool::summon(missing, help);
  team.announce(summoned - missing);
}

}  // namespace

void parallel_for(int64_t count, void (*body)(void* context, int64_t index), void* context) {
  if (count > 1 && !orphaned.load(std::memory_order_relaxed)) {
    Threads& t = threads();
    const int slots = t.count.load(std::memory_order_relaxed);
    if (slots > 1 && t.team.try_run(count, body, context, slots, summon)) return;
  }
  const FlushDenormals flush;
  for (int64_t index = 0; index < count; ++index) body(context, index);
}

void parallel_for(int64_t count, FunctionRef<void(int64_t)> body) {
  parallel_for(count, body.function(), body.context());
}

int num_threads() {
  if (orphaned.load(std::memory_order_relaxed)) return 1;
  return threads().count.load(std::memory_order_relaxed);
}

void set_num_threads(int n) {
  if (n < 1 || n > kMaxThreads) {
    throw InvalidArgumentError("[set_num_threads] expected a number of threads from 1 to " +
                               std::to_string(kMaxThreads) + ", got " + std::to_string(n));
  }
  if (orphaned.load(std::memory_order_relaxed)) return;
  Threads& t = threads();
  const std::lock_guard lock(t.changing);
  t.team.begin_exclusive();
  HelperPool::resize(n);
  t.count.store(n, std::memory_order_relaxed);
  t.team.end_exclusive();
}

}  // namespace addax
