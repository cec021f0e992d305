#include "cpu/runtime/scratch.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

namespace addax::cpu {
namespace {

void* of_new_thread(Scratch use, size_t bytes) {
  void* memory = nullptr;
  std::thread([&] { memory = thread_scratch_bytes(use, bytes); }).join();
  return memory;
}

TEST(Scratch, GrowsAndStays) {
  void* const large = thread_scratch_bytes(Scratch::Rows, 1 << 16);
  EXPECT_EQ(thread_scratch_bytes(Scratch::Rows, 100), large);
  EXPECT_NE(thread_scratch_bytes(Scratch::Panel, 100), large);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(large) % 64, 0u);
}

TEST(Scratch, OfAThreadThatHasEndedIsTheNextOnes) {
  void* const first = of_new_thread(Scratch::Rows, 1 << 16);
  EXPECT_EQ(of_new_thread(Scratch::Rows, 1 << 16), first);
  void* const own = thread_scratch_bytes(Scratch::Rows, 1 << 16);
  EXPECT_NE(own, first);
}

TEST(Scratch, OfThreadsAtOnceIsTheirOwn) {
  void* inner = nullptr;
  void* outer = nullptr;
  std::thread([&] {
    outer = thread_scratch_bytes(Scratch::Rows, 64);
    inner = of_new_thread(Scratch::Rows, 64);
  }).join();
  EXPECT_NE(inner, outer);
}

}  // namespace
}  // namespace addax::cpu
