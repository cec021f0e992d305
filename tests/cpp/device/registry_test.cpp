#include "device/registry.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "device/fake_plugin.h"

namespace addax {
namespace {

using testing::FakePlugin;

const std::filesystem::path kNull = ADDAX_NULL_PLUGIN;

struct RegistryTest : ::testing::Test {
  FakePlugin fake;
  DeviceRegistry registry;
};

TEST_F(RegistryTest, FindsDevicesByName) {
  fake.plugin.num_devices = 2;
  EXPECT_THROW(registry.default_device(), DeviceError);
  registry.register_builtin(FakePlugin::entry);
  EXPECT_EQ(registry.get("fake").name(), "fake:0");
  EXPECT_EQ(registry.get("fake:1").name(), "fake:1");
  EXPECT_EQ(&registry.default_device(), &registry.get("fake:0"));
  registry.set_default_device(registry.get("fake:1"));
  EXPECT_EQ(registry.default_device().name(), "fake:1");
}

TEST_F(RegistryTest, FindsWhatIsThereWithoutALook) {
  EXPECT_EQ(registry.find("fake"), nullptr);
  fake.plugin.num_devices = 2;
  fake.devices[0] = nullptr;
  registry.register_builtin(FakePlugin::entry);
  EXPECT_EQ(registry.find("fake"), &registry.get("fake:1"));
  EXPECT_EQ(registry.find("gpu"), nullptr);
  registry.add_failure({"elsewhere", "it is gone"});
  registry.add_failure({"elsewhere", "it is still gone"});
  const std::vector<DeviceFailure> failures = registry.failures();
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[1].reason, "it is still gone");
}

TEST_F(RegistryTest, SuggestsTheNearestName) {
  registry.register_builtin(FakePlugin::entry);
  try {
    registry.get("fkae");
    FAIL();
  } catch (const InvalidArgumentError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("'fkae' among fake:0; did you mean 'fake'?"), std::string::npos) << text;
  }
  EXPECT_THROW(registry.get("gpu"), InvalidArgumentError);
  EXPECT_THROW(registry.get("fake:7"), InvalidArgumentError);
}

TEST_F(RegistryTest, RefusesASecondPluginOfOneName) {
  registry.register_builtin(FakePlugin::entry);
  try {
    registry.register_builtin(FakePlugin::entry);
    FAIL();
  } catch (const DeviceError& error) {
    EXPECT_STREQ(error.what(),
                 "[built-in] a plug-in named 'fake' is loaded already, from built-in");
  }
  EXPECT_EQ(registry.devices().size(), 1u);
}

TEST_F(RegistryTest, LoadsAFileOnce) {
  const std::vector<Device*> devices = registry.load_plugin(kNull);
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_EQ(registry.load_plugin(kNull.parent_path() / "." / kNull.filename()), devices);
  EXPECT_EQ(&registry.get("null"), devices[0]);
}

TEST_F(RegistryTest, RecordsFailuresAndGoesOn) {
  EXPECT_THROW(registry.load_plugin("/no/such/plugin.so"), IoError);
  ASSERT_EQ(registry.failures().size(), 1u);
  EXPECT_EQ(registry.failures()[0].path, "/no/such/plugin.so");
  EXPECT_EQ(registry.load_plugin(kNull).size(), 2u);
}

TEST_F(RegistryTest, DiscoversFoldersAndTheEnvironment) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "addax_registry";
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(kNull, folder / "other.so",
                             std::filesystem::copy_options::overwrite_existing);
  std::ofstream(folder / "broken.so") << "nothing";
  std::ofstream(folder / "notes.txt") << "nothing";
  registry.register_builtin(FakePlugin::entry);
  registry.add_search_path(folder);
  setenv("ADDAX_PLUGINS", (kNull.string() + ":/no/such.so:").c_str(), 1);

  EXPECT_EQ(registry.get("fake").name(), "fake:0");
  EXPECT_EQ(registry.get("null").name(), "null:0");
  const std::vector<DeviceFailure> failures = registry.failures();
  unsetenv("ADDAX_PLUGINS");
  std::filesystem::remove_all(folder);

  ASSERT_EQ(failures.size(), 3u);
  EXPECT_NE(failures[0].reason.find("no such plug-in file"), std::string::npos);
  EXPECT_NE(failures[1].reason.find("not a loadable library"), std::string::npos);
  EXPECT_NE(failures[2].reason.find("named 'null' is loaded already"), std::string::npos);
  EXPECT_EQ(registry.devices().size(), 3u);
}

}  // namespace
}  // namespace addax
