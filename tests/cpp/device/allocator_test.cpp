#include "device/allocator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "device/device.h"
#include "device/fake_plugin.h"

namespace addax {
namespace {

using testing::FakePlugin;

struct AllocatorTest : ::testing::Test {
  FakePlugin fake;
  Device device{"fake:0", fake.api, &fake.device};
};

TEST_F(AllocatorTest, SizeClassesWasteAtMostAnEighth) {
  EXPECT_EQ(CachingAllocator::size_class(0), 64u);
  EXPECT_EQ(CachingAllocator::size_class(64), 64u);
  EXPECT_EQ(CachingAllocator::size_class(65), 128u);
  EXPECT_EQ(CachingAllocator::size_class(1025), 1152u);
  uint64_t before = 0;
  for (uint64_t bytes = 1; bytes < (uint64_t{1} << 40); bytes += bytes / 7 + 1) {
    const uint64_t rounded = CachingAllocator::size_class(bytes);
    EXPECT_GE(rounded, bytes);
    EXPECT_GE(rounded, before);
    EXPECT_EQ(CachingAllocator::size_class(rounded), rounded);
    EXPECT_LE(rounded - bytes, std::max<uint64_t>(bytes / 8, 63));
    before = rounded;
  }
}

TEST_F(AllocatorTest, ReusesMemoryOfTheSameClass) {
  adx_buffer* first = nullptr;
  {
    const Buffer buffer = device.alloc(1000);
    first = buffer.handle();
    EXPECT_EQ(buffer.bytes(), 1000u);
    EXPECT_NE(buffer.host(), nullptr);
    EXPECT_EQ(device.allocator().info().bytes_in_use, 1024u);
  }
  EXPECT_EQ(device.allocator().info().bytes_in_use, 0u);
  EXPECT_EQ(device.allocator().info().bytes_cached, 1024u);
  const Buffer again = device.alloc(1020);
  EXPECT_EQ(again.handle(), first);
  EXPECT_EQ(again.bytes(), 1020u);
  EXPECT_EQ(device.allocator().info().bytes_cached, 0u);
  EXPECT_EQ(fake.live_buffers, 1);
}

TEST_F(AllocatorTest, TrimGivesBack) {
  { const Buffer a = device.alloc(1 << 20), b = device.alloc(100); }
  EXPECT_EQ(fake.live_buffers, 2);
  EXPECT_EQ(device.allocator().trim(), (uint64_t{1} << 20) + 128);
  EXPECT_EQ(fake.live_buffers, 0);
  EXPECT_EQ(device.allocator().info().bytes_cached, 0u);
}

TEST_F(AllocatorTest, HandlesShareABuffer) {
  Buffer a = device.alloc(64);
  EXPECT_TRUE(a.is_unique());
  Buffer b = a;
  EXPECT_FALSE(a.is_unique());
  EXPECT_EQ(a, b);
  a = Buffer();
  EXPECT_TRUE(b.is_unique());
  b = std::move(b);
  EXPECT_TRUE(b);
  EXPECT_EQ(device.allocator().info().bytes_in_use, 64u);
}

TEST_F(AllocatorTest, TrimsBeforeItGivesUp) {
  fake.memory_left = 4096;
  { const Buffer buffer = device.alloc(4096); }
  EXPECT_EQ(fake.memory_left, 0u);
  const Buffer other = device.alloc(1024);  // of another class: the cached block has to go
  EXPECT_EQ(fake.live_buffers, 1);
}

TEST_F(AllocatorTest, DropsIdleMemoryOfOthersBeforeItGivesUp) {
  fake.memory_left = 4096;
  Buffer idle = device.alloc(4096);
  device.allocator().add_reclaimer([&] { idle = Buffer(); });
  EXPECT_TRUE(device.alloc(1024));
}

TEST_F(AllocatorTest, SaysWhatIsInUseWhenOutOfMemory) {
  fake.memory_left = 4096;
  const Buffer kept = device.alloc(2048);
  try {
    device.alloc(4096);
    FAIL();
  } catch (const OutOfMemoryError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("[fake:0] no memory for 4.0 KiB (2.0 KiB in use"), std::string::npos)
        << text;
    EXPECT_NE(text.find("nothing left"), std::string::npos) << text;
  }
  EXPECT_TRUE(device.alloc(2048));
}

TEST_F(AllocatorTest, RefusesWhatNoDeviceHas) {
  EXPECT_THROW(device.alloc(uint64_t{1} << 31), OutOfMemoryError);
  EXPECT_THROW(device.alloc(UINT64_MAX), OutOfMemoryError);
  EXPECT_EQ(fake.live_buffers, 0);
}

TEST_F(AllocatorTest, WrapsMemoryThatItsOwnerKeeps) {
  EXPECT_FALSE(device.can_wrap());
  EXPECT_THROW(device.wrap(&fake, 1, nullptr), UnsupportedError);

  fake.api.wrap = [](adx_device*, void*, uint64_t, adx_status*) -> adx_buffer* {
    ++FakePlugin::current->live_buffers;
    return new adx_buffer;
  };
  Device wrapping("fake:1", fake.api, &fake.device);
  std::vector<float> data(10);
  const auto owner = std::make_shared<int>(0);
  Buffer buffer = wrapping.wrap(data.data(), 40, owner);
  EXPECT_EQ(buffer.host(), data.data());
  EXPECT_TRUE(buffer.is_wrapped());
  EXPECT_EQ(owner.use_count(), 2);
  EXPECT_EQ(wrapping.allocator().info().bytes_in_use, 0u);
  buffer = Buffer();
  EXPECT_EQ(owner.use_count(), 1);
  EXPECT_EQ(fake.live_buffers, 0);
}

TEST_F(AllocatorTest, ServesManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::vector<Buffer> kept;
      for (uint64_t i = 0; i < 500; ++i) {
        Buffer buffer = device.alloc(64 + (i * 37 + static_cast<uint64_t>(t)) % 4096);
        std::memset(buffer.host(), t, buffer.bytes());
        const Buffer copy = buffer;
        if (i % 3 == 0) kept.push_back(std::move(buffer));
        EXPECT_EQ(*static_cast<char*>(copy.host()), t);
        if (kept.size() > 20) kept.clear();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(device.allocator().info().bytes_in_use, 0u);
  device.allocator().trim();
  EXPECT_EQ(fake.live_buffers, 0);
}

}  // namespace
}  // namespace addax
