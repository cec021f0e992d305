#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "device/plugin.h"

namespace addax {

// All devices of the process. Plug-ins named by ADDAX_PLUGINS (files or folders, separated by ':')
// and by `add_search_path` are loaded when first a device is asked for that is not there yet, or
// the list is; what fails to load is recorded and breaks nothing. Thread-safe.
class DeviceRegistry {
 public:
  static DeviceRegistry& instance();

  DeviceRegistry() = default;
  DeviceRegistry(const DeviceRegistry&) = delete;
  DeviceRegistry& operator=(const DeviceRegistry&) = delete;

  // Adds a plug-in linked into the process. Throws as open_plugin does, and DeviceError when its
  // name is taken.
  void register_builtin(adx_plugin_fn function);
  // Loads a plug-in now and returns its devices; a file loaded before gives the same devices again.
  // Throws as open_plugin does, and DeviceError when its name is taken; failures() has it then too.
  std::vector<Device*> load_plugin(const std::filesystem::path& path);
  // A plug-in file, or a folder whose *.so files are plug-ins, to look at on discovery.
  void add_search_path(const std::filesystem::path& path);

  // In the order of registration; discovers.
  std::vector<Device*> devices();
  // "cpu" (its first device), "cpu:1", or the alias "gpu": the plug-in device of highest positive
  // score. Throws InvalidArgumentError that lists the devices and suggests the nearest name.
  Device& get(std::string_view name);
  // The first built-in device, which computes what others refuse; null when there is none.
  Device* host_device();
  // The host's device unless set. DeviceError when there is none.
  Device& default_device();
  void set_default_device(Device& device);

  // The device of this name among those that are there already, or null.
  Device* find(std::string_view name);

  // Discovers.
  std::vector<DeviceFailure> failures();
  // For a plug-in that somebody else failed to find. Replaces what is known of the same path.
  void add_failure(DeviceFailure failure);

 private:
  const Plugin& add(Plugin plugin);
  std::vector<Device*> load_locked(const std::filesystem::path& path);
  void discover_locked();
  Device* find_locked(std::string_view name) const;
  [[noreturn]] void raise_unknown(std::string_view name) const;
  void record_locked(DeviceFailure failure);

  std::mutex mutex_;
  std::vector<Plugin> plugins_;
  std::map<std::filesystem::path, size_t> loaded_;  // canonical path -> index of the plug-in
  std::vector<std::filesystem::path> pending_;
  std::vector<DeviceFailure> failures_;
  Device* host_ = nullptr;
  Device* default_ = nullptr;  // null: the host's
  bool environment_read_ = false;
};

}  // namespace addax
