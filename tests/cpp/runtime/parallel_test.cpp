#include "runtime/parallel.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include "core/error.h"
#include "runtime/flush_denormals.h"

namespace addax {
namespace {

using namespace std::chrono_literals;

struct ParallelTest : ::testing::Test {
  const int before = num_threads();
  ~ParallelTest() override { set_num_threads(before); }
};

void expect_each_index_once(int64_t count) {
  std::vector<int> visits(static_cast<size_t>(count), 0);  // not atomic: TSan sees a double visit
  parallel_for(count, [&](int64_t i) { ++visits[static_cast<size_t>(i)]; });
  EXPECT_EQ(std::accumulate(visits.begin(), visits.end(), int64_t{0}), count);
  EXPECT_TRUE(std::all_of(visits.begin(), visits.end(), [](int v) { return v == 1; }));
}

TEST_F(ParallelTest, VisitsEachIndexOnce) {
  for (const int threads : {1, 2, 3, 4, 8}) {
    set_num_threads(threads);
    EXPECT_EQ(num_threads(), threads);
    for (const int64_t count : {0, 1, 2, 3, 7, 8, 100, 65534, 65535, 65536, 200001}) {
      expect_each_index_once(count);
    }
  }
}

TEST_F(ParallelTest, IsRightForManyShortRegions) {
  for (const int threads : {2, 4}) {
    set_num_threads(threads);
    std::array<int64_t, 16> sums{};
    constexpr int64_t kRegions = 20000;
    for (int64_t region = 0; region < kRegions; ++region) {
      const int64_t count = 1 + region % 16;
      parallel_for(count, [&, region](int64_t i) { sums[static_cast<size_t>(i)] += region; });
    }
    for (int64_t i = 0; i < 16; ++i) {
      int64_t expected = 0;
      for (int64_t region = 0; region < kRegions; ++region) {
        if (i < 1 + region % 16) expected += region;
      }
      EXPECT_EQ(sums[static_cast<size_t>(i)], expected);
    }
  }
}

// Helpers fall asleep after a tenth of a millisecond and are woken again.
TEST_F(ParallelTest, IsRightAfterPauses) {
  set_num_threads(3);
  for (int i = 0; i < 60; ++i) {
    expect_each_index_once(50);
    std::this_thread::sleep_for(std::chrono::microseconds(20 * (i % 20)));
  }
}

TEST_F(ParallelTest, HelpersTakePart) {
  set_num_threads(2);
  const std::thread::id self = std::this_thread::get_id();
  std::atomic<bool> helped = false;
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!helped && std::chrono::steady_clock::now() < deadline) {
    parallel_for(2, [&](int64_t) {
      if (std::this_thread::get_id() != self) helped = true;
      std::this_thread::sleep_for(1ms);
    });
  }
  EXPECT_TRUE(helped);
}

TEST_F(ParallelTest, EachParticipantBeginsWithItsOwnRange) {
  set_num_threads(2);
  const std::thread::id self = std::this_thread::get_id();
  std::atomic<int64_t> first{-1};
  parallel_for(1000, [&](int64_t i) {
    int64_t none = -1;
    if (std::this_thread::get_id() == self) first.compare_exchange_strong(none, i);
  });
  EXPECT_EQ(first, 0);
}

TEST_F(ParallelTest, NestedRegionsRunSerially) {
  set_num_threads(4);
  std::vector<int> visits(64 * 64, 0);
  parallel_for(64, [&](int64_t i) {
    const std::thread::id here = std::this_thread::get_id();
    parallel_for(64, [&](int64_t k) {
      EXPECT_EQ(std::this_thread::get_id(), here);
      ++visits[static_cast<size_t>(64 * i + k)];
    });
  });
  EXPECT_TRUE(std::all_of(visits.begin(), visits.end(), [](int v) { return v == 1; }));
}

TEST_F(ParallelTest, ManyCallersAtOnceAreRight) {
  set_num_threads(3);
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([] {
      for (int i = 0; i < 500; ++i) expect_each_index_once(1 + i % 40);
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST_F(ParallelTest, TheThreadCountMayChangeWhileOthersCall) {
  std::atomic<bool> stop = false;
  std::thread caller([&] {
    while (!stop) expect_each_index_once(30);
  });
  for (int i = 0; i < 60; ++i) {
    set_num_threads(1 + i % 5);
    std::this_thread::sleep_for(200us);
  }
  stop = true;
  caller.join();
}

TEST_F(ParallelTest, LongBodiesAreWaitedFor) {
  set_num_threads(4);
  std::array<int, 8> done{};
  parallel_for(8, [&](int64_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 3));
    done[static_cast<size_t>(i)] = 1;
  });
  EXPECT_EQ(std::accumulate(done.begin(), done.end(), 0), 8);
}

TEST_F(ParallelTest, RejectsImpossibleThreadCounts) {
  EXPECT_THROW(set_num_threads(0), InvalidArgumentError);
  EXPECT_THROW(set_num_threads(-1), InvalidArgumentError);
  EXPECT_THROW(set_num_threads(kMaxThreads + 1), InvalidArgumentError);
}

TEST_F(ParallelTest, FlushesDenormalsInEveryThread) {
  volatile float tiny = 1e-39f;
  EXPECT_NE(tiny * 0.5f, 0.0f);
  for (const int threads : {1, 2, 4}) {
    set_num_threads(threads);
    std::array<float, 16> halves;
    halves.fill(1);
    parallel_for(16, [&](int64_t i) {
      halves[static_cast<size_t>(i)] = tiny * 0.5f;
      std::this_thread::sleep_for(10us);
    });
    for (const float half : halves) EXPECT_EQ(half, 0.0f);
    EXPECT_NE(tiny * 0.5f, 0.0f);  // the caller's mode is back
  }
}

TEST_F(ParallelTest, AForkedChildRunsSerially) {
  set_num_threads(2);
  parallel_for(2, [](int64_t) { std::this_thread::sleep_for(1ms); });  // helpers exist
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int64_t sum = 0;
    parallel_for(100, [&](int64_t i) { sum += i; });
    set_num_threads(4);
    _exit(sum == 4950 && num_threads() == 1 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(num_threads(), 2);
  expect_each_index_once(100);
}

}  // namespace
}  // namespace addax
