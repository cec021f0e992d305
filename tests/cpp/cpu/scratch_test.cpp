#include "cpu/runtime/scratch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace addax::cpu {
namespace {

TEST(Scratch, GrowsAndStays) {
  void* const large = thread_scratch_bytes(Scratch::Rows, 1 << 16);
  EXPECT_EQ(thread_scratch_bytes(Scratch::Rows, 100), large);
  EXPECT_NE(thread_scratch_bytes(Scratch::Panel, 100), large);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large) % 64, 0u);
}

ScratchNeeds rows(int64_t bytes) {
  ScratchNeeds needs;
  needs.add(Scratch::Rows, bytes);
  return needs;
}

TEST(Scratch, NeedsAreTheMost) {
  ScratchNeeds needs = rows(100);
  needs.add(Scratch::Rows, 50);
  needs.add(rows(200));
  EXPECT_EQ(needs[Scratch::Rows], 200u);
  EXPECT_EQ(needs[Scratch::Panel], 0u);
}

TEST(Scratch, OfALeaseIsEachThreadsOwn) {
  void* const own = thread_scratch_bytes(Scratch::Rows, 64);
  ScratchLease lease(rows(1 << 10), 2);
  const ScratchLease::Use use(lease);
  void* const mine = thread_scratch_bytes(Scratch::Rows, 1 << 10);
  void* theirs = nullptr;
  std::thread([&] {
    const ScratchLease::Use use(lease);
    theirs = thread_scratch_bytes(Scratch::Rows, 1 << 10);
  }).join();
  EXPECT_NE(mine, own);
  EXPECT_NE(mine, theirs);
  EXPECT_EQ(thread_scratch_bytes(Scratch::Rows, 10), mine);
}

TEST(Scratch, OfALeaseThatHasEndedIsTheNextOnes) {
  const auto memory_of = [](ScratchLease& lease) {
    const ScratchLease::Use use(lease);
    return thread_scratch_bytes(Scratch::Rows, 1 << 16);
  };
  void* first = nullptr;
  {
    ScratchLease lease(rows(1 << 16), 1);
    first = memory_of(lease);
  }
  ScratchLease next(rows(1 << 16), 1), other(rows(1 << 16), 1);
  EXPECT_EQ(memory_of(next), first);
  EXPECT_NE(memory_of(other), first);
}

TEST(Scratch, OfMoreThreadsThanALeaseHasSharesWaits) {
  ScratchLease lease(rows(64), 2);
  std::atomic<int> at_once = 0, most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 100; ++turn) {
        const ScratchLease::Use use(lease);
        const int now = ++at_once;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        --at_once;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 2);
}

}  // namespace
}  // namespace addax::cpu
