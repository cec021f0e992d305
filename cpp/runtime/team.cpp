#include "runtime/team.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "runtime/flush_denormals.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace addax {
namespace {

using Clock = std::chrono::steady_clock;

// How long a helper without work stays awake: long enough to bridge the serial parts between the
// regions of a training step, short enough not to burn a core that others could use.
constexpr std::chrono::microseconds kPatience{100};
// How long the owner spins for helpers that are still at work before it sleeps.
constexpr std::chrono::microseconds kJoinPatience{200};
constexpr int kPausesPerLook = 16;
constexpr int64_t kMaxChunks = 0xffff;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr uint64_t pack(uint32_t epoch, uint64_t begin, uint64_t end) {
  return uint64_t{epoch} << 32 | begin << 16 | end;
}
constexpr uint32_t epoch_of(uint64_t chunks) { return static_cast<uint32_t>(chunks >> 32); }
constexpr uint64_t begin_of(uint64_t chunks) { return chunks >> 16 & 0xffff; }
constexpr uint64_t end_of(uint64_t chunks) { return chunks & 0xffff; }

}  // namespace

bool Team::try_run(int64_t count, Body body, void* context, int slots,
                   void (*summon)(int missing) noexcept) {
  if (reserved_.load(std::memory_order_relaxed)) return false;
  if (busy_.exchange(true, std::memory_order_acquire)) return false;
  const int64_t grain = (count + kMaxChunks - 1) / kMaxChunks;
  const int64_t chunks = (count + grain - 1) / grain;
  const uint32_t epoch = ++epoch_;
  done_.store(0, std::memory_order_relaxed);
  for (int s = slots - 1; s >= 0; --s) {
    Slot& slot = slots_[static_cast<size_t>(s)];
    slot.body.store(body, std::memory_order_relaxed);
    slot.context.store(context, std::memory_order_relaxed);
    slot.count.store(count, std::memory_order_relaxed);
    slot.grain.store(grain, std::memory_order_relaxed);
    slot.slots.store(slots, std::memory_order_relaxed);
    slot.chunks.store(pack(epoch, static_cast<uint64_t>(chunks * s / slots),
                           static_cast<uint64_t>(chunks * (s + 1) / slots)),
                      std::memory_order_release);
  }
  const int useful = static_cast<int>(std::min<int64_t>(slots, chunks)) - 1;
  const int missing = useful - helpers_.load(std::memory_order_relaxed);
  if (missing > 0) summon(missing);
  {
    const FlushDenormals flush;
    const int own = work(0, epoch);
    wait_for_helpers(static_cast<int32_t>(chunks) - own);
  }
  busy_.store(false, std::memory_order_release);
  return true;
}

// Claims and runs chunks of the job `epoch` until none is left; returns how many.
int Team::work(int own_slot, uint32_t epoch) {
  int finished = 0;
  int slots = own_slot + 1;  // at least; the own slot tells
  for (int offset = 0; offset < slots; ++offset) {
    Slot& slot = slots_[static_cast<size_t>((own_slot + offset) % slots)];
    uint64_t chunks = slot.chunks.load(std::memory_order_acquire);
    if (epoch_of(chunks) != epoch) break;
    const Body body = slot.body.load(std::memory_order_relaxed);
    void* const context = slot.context.load(std::memory_order_relaxed);
    const int64_t count = slot.count.load(std::memory_order_relaxed);
    const int64_t grain = slot.grain.load(std::memory_order_relaxed);
    if (offset == 0) slots = slot.slots.load(std::memory_order_relaxed);
    while (epoch_of(chunks) == epoch && begin_of(chunks) < end_of(chunks)) {
      const bool own = offset == 0;
      const uint64_t claimed = own ? begin_of(chunks) : end_of(chunks) - 1;
      const uint64_t rest =
          own ? pack(epoch, claimed + 1, end_of(chunks)) : pack(epoch, begin_of(chunks), claimed);
      if (!slot.chunks.compare_exchange_weak(chunks, rest, std::memory_order_acq_rel,
                                             std::memory_order_acquire)) {
        continue;
      }
      const int64_t begin = static_cast<int64_t>(claimed) * grain;
      const int64_t end = std::min(begin + grain, count);
      for (int64_t index = begin; index < end; ++index) body(context, index);
      ++finished;
      chunks = slot.chunks.load(std::memory_order_acquire);
    }
  }
  return finished;
}

void Team::wait_for_helpers(int32_t chunks) {
  Clock::time_point deadline{};
  for (int looks = 0;; ++looks) {
    for (int i = 0; i < kPausesPerLook; ++i) {
      if (done_.load(std::memory_order_acquire) == chunks) return;
      pause();
    }
    const Clock::time_point now = Clock::now();
    if (looks == 0) deadline = now + kJoinPatience;
    if (now > deadline) break;
  }
  for (int32_t done = done_.load(std::memory_order_acquire); done != chunks;
       done = done_.load(std::memory_order_acquire)) {
    done_.wait(done, std::memory_order_acquire);
  }
}

void Team::help(int own_slot) {
  const FlushDenormals flush;
  Slot& slot = slots_[static_cast<size_t>(own_slot)];
  uint32_t seen = 0;
  Clock::time_point deadline = Clock::now() + kPatience;
  for (;;) {
    for (int i = 0; i < kPausesPerLook; ++i) {
      const uint32_t epoch = epoch_of(slot.chunks.load(std::memory_order_acquire));
      if (epoch == seen) {
        pause();
        continue;
      }
      seen = epoch;
      const int finished = work(own_slot, epoch);
      if (finished > 0) {
        done_.fetch_add(finished, std::memory_order_acq_rel);
        done_.notify_one();
      }
      deadline = Clock::now() + kPatience;
    }
    if (Clock::now() > deadline) break;
  }
  helpers_.fetch_sub(1, std::memory_order_relaxed);
}

void Team::begin_exclusive() {
  reserved_.store(true, std::memory_order_relaxed);
  while (busy_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
}

void Team::end_exclusive() {
  reserved_.store(false, std::memory_order_relaxed);
  busy_.store(false, std::memory_order_release);
}

}  // namespace addax
