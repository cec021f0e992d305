#include "runtime/helper_pool.h"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>

#include <memory>
#include <mutex>
#include <optional>

namespace addax {
namespace {

struct Pool {
  std::mutex mutex;
  int threads = 1;
  std::optional<tbb::task_arena> arena;
  std::optional<tbb::global_control> more_workers;  // than oneTBB would start by itself
};

// Never destroyed: helpers may still be awake when the process ends.
Pool& pool() {
  static Pool& pool = *std::make_unique<Pool>().release();
  return pool;
}

}  // namespace

void HelperPool::resize(int threads) {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  p.threads = threads;
  p.arena.reset();
  p.more_workers.reset();
  if (threads > default_threads()) {
    p.more_workers.emplace(tbb::global_control::max_allowed_parallelism,
                           static_cast<size_t>(threads));
  }
}

int HelperPool::summon(int helpers, Help help) noexcept {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  int summoned = 0;
  try {
    if (!p.arena) p.arena.emplace(p.threads, 1);
    for (; summoned < helpers; ++summoned) {
      p.arena->enqueue([help] { help(tbb::this_task_arena::current_thread_index()); });
    }
  } catch (...) {
    // Out of memory: the region runs with the helpers that are there.
  }
  return summoned;
}

int HelperPool::default_threads() { return tbb::info::default_concurrency(); }

}  // namespace addax
