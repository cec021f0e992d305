#include "device/device.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "core/error.h"
#include "device/event.h"
#include "device/fake_plugin.h"
#include "device/plugin.h"

namespace addax {
namespace {

using testing::FakePlugin;

struct DeviceTest : ::testing::Test {
  FakePlugin fake;
  Device device{"fake:0", fake.api, &fake.device};
  std::array<int, 16> numbers{};

  DeviceTest() { std::iota(numbers.begin(), numbers.end(), 1); }
};

TEST_F(DeviceTest, CopiesBothWaysAtOffsets) {
  const Buffer buffer = device.alloc(64);
  device.copy_from_host(numbers.data(), buffer, 64);
  device.copy_from_host(numbers.data(), buffer, 8, 56);
  std::array<int, 4> back{};
  device.copy_to_host(buffer, back.data(), 16, 48);
  EXPECT_EQ(back, (std::array<int, 4>{13, 14, 1, 2}));
  device.fill(buffer, 0xff, 4, 4);
  device.copy_to_host(buffer, back.data(), 16);
  EXPECT_EQ(back, (std::array<int, 4>{1, -1, 3, 4}));
}

TEST_F(DeviceTest, CopiesBetweenDevices) {
  Plugin null = open_plugin(std::filesystem::path(ADDAX_NULL_PLUGIN));
  const Buffer here = device.alloc(64);
  device.copy_from_host(numbers.data(), here, 64);
  for (const auto& other : null.devices) {
    const Buffer there = other->alloc(64);
    copy(here, 0, there, 0, 64);
    const Buffer back = device.alloc(64);
    copy(there, 4, back, 0, 60);
    EXPECT_EQ(static_cast<int*>(device.map(back))[0], 2);
  }
}

TEST_F(DeviceTest, RejectsTransfersBeyondTheBuffer) {
  const Buffer buffer = device.alloc(60);
  EXPECT_THROW(device.copy_from_host(numbers.data(), buffer, 64), InvalidArgumentError);
  EXPECT_THROW(device.copy_to_host(buffer, numbers.data(), 4, 60), InvalidArgumentError);
  EXPECT_THROW(device.fill(buffer, 0, UINT64_MAX, 4), InvalidArgumentError);
  EXPECT_THROW(device.copy_from_host(numbers.data(), Buffer(), 4), InvalidArgumentError);
  device.copy_from_host(numbers.data(), buffer, 0, 60);
}

TEST_F(DeviceTest, ReusesQueues) {
  { const QueueLease a = device.queue(), b = device.queue(); }
  { const QueueLease c = device.queue(); }
  EXPECT_EQ(fake.live_queues, 2);
}

TEST_F(DeviceTest, HasEventsWhereTheDeviceHasNone) {
  const QueueLease queue = device.queue();
  Event begin(device), end(device);
  begin.record(queue);
  end.record(queue);
  end.wait(queue);
  EXPECT_TRUE(end.has_happened());
  EXPECT_LT(end.elapsed_us(begin), 0);
}

TEST(OpaqueDevice, MeasuresTimeBetweenEvents) {
  const Plugin plugin = open_plugin(std::filesystem::path(ADDAX_NULL_PLUGIN));
  const QueueLease queue = plugin.devices[1]->queue();
  Event begin(*plugin.devices[1]), end(*plugin.devices[1]);
  begin.record(queue);
  end.record(queue);
  EXPECT_TRUE(end.has_happened());
  EXPECT_GE(end.elapsed_us(begin), 0);
}

TEST(OpaqueDevice, HasNoAddresses) {
  const Plugin plugin = open_plugin(std::filesystem::path(ADDAX_NULL_PLUGIN));
  Device& opaque = *plugin.devices[1];
  const Buffer buffer = opaque.alloc(16);
  EXPECT_EQ(buffer.host(), nullptr);
  EXPECT_THROW(opaque.map(buffer), UnsupportedError);
  int there = 42;
  opaque.copy_from_host(&there, buffer, 4, 8);
  int back = 0;
  opaque.copy_to_host(buffer, &back, 4, 8);
  EXPECT_EQ(back, 42);
}

}  // namespace
}  // namespace addax
