#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "runtime/parallel.h"

namespace addax {

// Fork and join without locks. The owner of a region writes the job into one slot per participant;
// whoever finds chunks there claims them one by one. A slot's chunks are claimed from the front by
// the participant whose slot it is and from the back by the others. The owner claims like everybody
// else and waits only for chunks that helpers have claimed, so that a region ends with no helper at
// all, and a helper that comes late finds nothing.
//
// A slot's chunks and the number of the job (its epoch) are one atomic word. A claim exchanges the
// word, so it succeeds only while that job still has that chunk, and what the helper read of the
// slot before belongs to that job: the next job is written only after all chunks have ended.
class Team {
 public:
  using Body = void (*)(void* context, int64_t index);

  // Runs the region over `slots` participants if no other thread has the team or asks to have it
  // for itself; otherwise returns false and does nothing. `summon` is called when fewer helpers are
  // awake than could take part.
  bool try_run(int64_t count, Body body, void* context, int slots,
               void (*summon)(int missing) noexcept);

  // A helper's life: works on the jobs in its slot until none has come for kPatience.
  void help(int slot);

  // Helpers that are awake or have been summoned; whoever summons one announces it first.
  void announce(int helpers) { helpers_.fetch_add(helpers, std::memory_order_relaxed); }

  // Keeps regions out until `end_exclusive`; waits for the one in progress. One thread at a time.
  void begin_exclusive();
  void end_exclusive();

 private:
  struct alignas(128) Slot {
    std::atomic<uint64_t> chunks{0};  // epoch << 32 | begin << 16 | end
    std::atomic<Body> body{nullptr};
    std::atomic<void*> context{nullptr};
    std::atomic<int64_t> count{0};
    std::atomic<int64_t> grain{0};  // indices per chunk
    std::atomic<int> slots{0};
  };

  int work(int slot, uint32_t epoch);
  void wait_for_helpers(int32_t chunks);

  alignas(128) std::atomic<bool> busy_{false};
  std::atomic<bool> reserved_{false};
  uint32_t epoch_ = 0;                         // of the last job; belongs to whoever set busy_
  alignas(128) std::atomic<int32_t> done_{0};  // chunks that helpers have finished
  alignas(128) std::atomic<int> helpers_{0};
  std::array<Slot, kMaxThreads> slots_;
};

}  // namespace addax
