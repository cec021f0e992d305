#include "device/conformance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>

#include "core/error.h"
#include "device/fake_plugin.h"
#include "device/plugin.h"

namespace addax {
namespace {

using testing::FakePlugin;

// The names of the checks that fail, of those that need no op.
std::string failures(Device& device) {
  std::string names;
  for (const auto& checks : {memory_checks(), event_checks()}) {
    for (const DeviceCheck& check : checks) {
      try {
        check.check(device);
      } catch (const Error&) {
        names += (names.empty() ? "" : ", ") + std::string(check.name);
      }
    }
  }
  return names;
}

TEST(CheckDevice, IsPassedByTheNullDevices) {
  const Plugin plugin = open_plugin(std::filesystem::path(ADDAX_NULL_PLUGIN));
  for (const auto& device : plugin.devices) EXPECT_EQ(failures(*device), "");
}

struct CheckFake : ::testing::Test {
  FakePlugin fake;

  CheckFake() {
    fake.properties.compute_dtypes = fake.properties.storage_dtypes = 1U << ADX_FLOAT32;
    fake.memory_left = 1 << 30;
  }
  std::string run() {
    Device device("fake:0", fake.api, &fake.device);
    return failures(device);
  }
};

TEST_F(CheckFake, IsPassedByAGoodOne) {
  EXPECT_EQ(run(), "");
  EXPECT_EQ(fake.live_buffers, 0);
  EXPECT_EQ(fake.live_queues, 0);
}

TEST_F(CheckFake, FindsDTypesThatCannotBeStored) {
  fake.properties.storage_dtypes = 0;
  EXPECT_EQ(run(), "properties");
}

TEST_F(CheckFake, FindsOffsetsThatAreIgnored) {
  fake.api.fill = [](adx_device*, adx_queue*, const adx_location* to, uint8_t value, uint64_t bytes,
                     adx_status*) { std::memset(to->buffer->data.data(), value, bytes); };
  EXPECT_EQ(run(), "fill");
}

TEST_F(CheckFake, FindsMemoryWithoutAnEnd) {
  fake.memory_left = UINT64_MAX;
  fake.properties.largest_allocation = 16 << 20;
  fake.api.alloc = [](adx_device*, uint64_t bytes, adx_status*) {
    ++FakePlugin::current->live_buffers;
    return new adx_buffer{std::vector<char>(std::min(bytes, uint64_t{2} << 20))};
  };
  EXPECT_EQ(run(), "out of memory");
}

TEST_F(CheckFake, FindsAQueueThatLosesWork) {
  fake.api.copy = [](adx_device*, adx_queue*, const adx_location*, const adx_location*, uint64_t,
                     adx_status*) {};
  EXPECT_EQ(run(), "memory, map, copies, fill, out of memory, two queues, events, an event's time");
}

}  // namespace
}  // namespace addax
