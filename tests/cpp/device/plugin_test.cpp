#include "device/plugin.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "core/error.h"
#include "device/fake_plugin.h"

namespace addax {
namespace {

using testing::FakePlugin;

::testing::AssertionResult says(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << '"' << text << "\" does not say \"" << part << '"';
}

std::string rejection(const std::function<void(FakePlugin&)>& break_it) {
  FakePlugin fake;
  break_it(fake);
  try {
    open_plugin(FakePlugin::entry, "here.so");
  } catch (const DeviceError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(OpenPlugin, TakesAWholePlugin) {
  FakePlugin fake;
  fake.plugin.num_devices = 2;
  const Plugin plugin = open_plugin(FakePlugin::entry, "here.so");
  EXPECT_EQ(plugin.name, "fake");
  EXPECT_EQ(plugin.version, "7");
  EXPECT_EQ(plugin.path, "here.so");
  ASSERT_EQ(plugin.devices.size(), 2u);
  EXPECT_EQ(plugin.devices[1]->name(), "fake:1");
}

TEST(OpenPlugin, RejectsWhatIsBroken) {
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.returns_null = true; }),
                   "[here.so] it returned no plug-in"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.plugin.abi_version = 2; }),
                   "version 2 of the device ABI; this is version 1"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.plugin.struct_size = 8; }),
                   "record says that it has 8 bytes"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.api.struct_size = 16; }),
                   "table says that it has 16 bytes"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.plugin.name = "Bad Name"; }), "name"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.plugin.api = nullptr; }), "no function table"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.plugin.num_devices = 0; }), "found no device"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.api.struct_size = 1 << 30; }), "1073741824"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.plugin.num_devices = 1 << 20; }), "1048576"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.devices[0] = nullptr; }), "fake:0 is null"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.properties.alignment = 48; }),
                   "power of two up to 1048576, got 48"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) {
                     std::fill(std::begin(f.properties.name), std::end(f.properties.name), 'x');
                   }),
                   "does not end"));
  EXPECT_TRUE(
      says(rejection([](FakePlugin& f) { f.api.map = nullptr; }), "needs the function 'map'"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) {
                     f.api.event_query = [](adx_device*, adx_event*) { return int32_t{1}; };
                   }),
                   "1 of the 6 functions for events"));
}

TEST(OpenPlugin, FindsOutPropertiesBeyondTheirStruct) {
  EXPECT_TRUE(says(rejection([](FakePlugin& f) {
                     f.api.properties = [](adx_device*, adx_properties* out, adx_status*) {
                       *out = FakePlugin::current->properties;
                       std::memset(out + 1, 1, 16);
                     };
                   }),
                   "past the struct_size"));
}

TEST(OpenPlugin, TriesEachDevice) {
  EXPECT_TRUE(says(rejection([](FakePlugin& f) {
                     f.api.alloc = [](adx_device*, uint64_t, adx_status*) -> adx_buffer* {
                       return nullptr;
                     };
                   }),
                   "'alloc' gave neither a result nor an error"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) {
                     f.api.queue_create = [](adx_device*, adx_status*) -> adx_queue* {
                       return nullptr;
                     };
                   }),
                   "'queue_create' gave neither"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) {
                     f.api.map = [](adx_device*, adx_buffer*, adx_status*) -> void* {
                       return nullptr;
                     };
                   }),
                   "'map' gave neither"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) {
                     f.api.copy = [](adx_device*, adx_queue*, const adx_location*,
                                     const adx_location*, uint64_t, adx_status*) {};
                   }),
                   "does not come back"));
  FakePlugin fake;
  fake.plugin.num_devices = 2;
  fake.devices[0] = nullptr;
  const Plugin plugin = open_plugin(FakePlugin::entry, "here.so");
  ASSERT_EQ(plugin.devices.size(), 1u);
  EXPECT_EQ(plugin.devices[0]->name(), "fake:1");
  ASSERT_EQ(plugin.failures.size(), 1u);
  EXPECT_TRUE(says(plugin.failures[0].reason, "fake:0 is null"));
  EXPECT_EQ(fake.live_buffers, 0);
}

TEST(OpenPlugin, NamesAMissingFunction) {
  EXPECT_TRUE(
      says(rejection([](FakePlugin& f) { f.api.run = nullptr; }), "mandatory function 'run'"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.api.alloc = nullptr; }), "'alloc'"));
  EXPECT_TRUE(says(rejection([](FakePlugin& f) { f.api.supports = nullptr; }), "'supports'"));
  EXPECT_EQ(rejection([](FakePlugin& f) { f.api.wrap = nullptr; }), "accepted");
}

TEST(OpenPlugin, PassesThePluginsOwnErrorOn) {
  FakePlugin fake;
  fake.error = ADX_OUT_OF_MEMORY;
  fake.message = "no room";
  try {
    open_plugin(FakePlugin::entry, "here.so");
    FAIL();
  } catch (const OutOfMemoryError& error) {
    EXPECT_STREQ(error.what(), "[here.so] no room");
  }
}

TEST(OpenPlugin, SaysWhyAFileIsNoPlugin) {
  EXPECT_THROW(open_plugin(std::filesystem::path("/no/such.so")), IoError);
  const std::filesystem::path text =
      std::filesystem::temp_directory_path() / "addax_plugin_test_text.so";
  std::ofstream(text) << "not a library";
  try {
    open_plugin(text);
    FAIL();
  } catch (const DeviceError& error) {
    EXPECT_TRUE(says(error.what(), "not a loadable library"));
  }
  std::filesystem::remove(text);
  try {
    Dl_info library;
    ASSERT_NE(dladdr(reinterpret_cast<void*>(&dlsym), &library), 0);
    open_plugin(std::filesystem::path(library.dli_fname));
    FAIL();
  } catch (const DeviceError& error) {
    EXPECT_TRUE(says(error.what(), "does not export adx_plugin_v1"));
  }
}

TEST(OpenPlugin, LoadsTheNullPlugin) {
  const Plugin plugin = open_plugin(std::filesystem::path(ADDAX_NULL_PLUGIN));
  EXPECT_EQ(plugin.name, "null");
  ASSERT_EQ(plugin.devices.size(), 2u);
  EXPECT_TRUE(plugin.devices[0]->has_unified_memory());
  EXPECT_FALSE(plugin.devices[1]->has_unified_memory());
}

}  // namespace
}  // namespace addax
