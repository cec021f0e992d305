#include "device/registry.h"

#include <algorithm>

#include "core/env.h"
#include "core/error.h"
#include "core/suggest.h"

namespace addax {
namespace {

constexpr std::string_view kGpuAlias = "gpu";

std::vector<std::filesystem::path> split_paths(const std::string& text) {
  std::vector<std::filesystem::path> paths;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) paths.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return paths;
}

std::vector<std::filesystem::path> plugin_files(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return {path};
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".so") files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

// Never destroyed: buffers in static objects may outlive everything else.
DeviceRegistry& DeviceRegistry::instance() {
  static DeviceRegistry& registry = *std::make_unique<DeviceRegistry>().release();
  return registry;
}

void DeviceRegistry::register_builtin(adx_plugin_fn function) {
  Plugin plugin = open_plugin(function, kBuiltinPath);
  const std::lock_guard lock(mutex_);
  add(std::move(plugin));
}

std::vector<Device*> DeviceRegistry::load_plugin(const std::filesystem::path& path) {
  const std::lock_guard lock(mutex_);
  return load_locked(path);
}

void DeviceRegistry::add_search_path(const std::filesystem::path& path) {
  const std::lock_guard lock(mutex_);
  pending_.push_back(path);
}

std::vector<Device*> DeviceRegistry::devices() {
  const std::lock_guard lock(mutex_);
  discover_locked();
  std::vector<Device*> devices;
  for (const Plugin& plugin : plugins_) {
    for (const auto& device : plugin.devices) devices.push_back(device.get());
  }
  return devices;
}

Device& DeviceRegistry::get(std::string_view name) {
  const std::lock_guard lock(mutex_);
  Device* device = name == kGpuAlias ? nullptr : find_locked(name);
  if (device == nullptr) {
    discover_locked();
    device = find_locked(name);
  }
  if (device == nullptr) raise_unknown(name);
  return *device;
}

Device* DeviceRegistry::find(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return name == kGpuAlias ? nullptr : find_locked(name);
}

Device* DeviceRegistry::host_device() {
  const std::lock_guard lock(mutex_);
  return host_;
}

Device& DeviceRegistry::default_device() {
  const std::lock_guard lock(mutex_);
  Device* const chosen = default_ == nullptr ? host_ : default_;
  if (chosen == nullptr) throw DeviceError("[default_device] no device has been registered");
  return *chosen;
}

void DeviceRegistry::set_default_device(Device& device) {
  const std::lock_guard lock(mutex_);
  default_ = &device;
}

std::vector<DeviceFailure> DeviceRegistry::failures() {
  const std::lock_guard lock(mutex_);
  discover_locked();
  return failures_;
}

void DeviceRegistry::add_failure(DeviceFailure failure) {
  const std::lock_guard lock(mutex_);
  record_locked(std::move(failure));
}

const Plugin& DeviceRegistry::add(Plugin plugin) {
  for (const Plugin& other : plugins_) {
    if (other.name == plugin.name) {
      throw DeviceError("[" + plugin.path + "] a plug-in named '" + plugin.name +
                        "' is loaded already, from " + other.path);
    }
  }
  for (const DeviceFailure& failure : plugin.failures) failures_.push_back(failure);
  plugins_.push_back(std::move(plugin));
  if (host_ == nullptr && plugins_.back().path == kBuiltinPath) {
    host_ = plugins_.back().devices.front().get();
  }
  return plugins_.back();
}

std::vector<Device*> DeviceRegistry::load_locked(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path key = std::filesystem::weakly_canonical(path, error);
  if (error) key = path;
  auto found = loaded_.find(key);
  if (found == loaded_.end()) {
    try {
      add(open_plugin(path));
    } catch (const Error& failure) {
      record_locked({path.string(), failure.what()});
      throw;
    }
    found = loaded_.emplace(std::move(key), plugins_.size() - 1).first;
  }
  std::vector<Device*> devices;
  for (const auto& device : plugins_[found->second].devices) devices.push_back(device.get());
  return devices;
}

void DeviceRegistry::discover_locked() {
  if (!environment_read_) {
    environment_read_ = true;
    const std::vector<std::filesystem::path> asked =
        split_paths(env::get("ADDAX_PLUGINS").value_or(""));
    pending_.insert(pending_.begin(), asked.begin(), asked.end());
  }
  for (const std::filesystem::path& path : std::exchange(pending_, {})) {
    const std::vector<std::filesystem::path> files = plugin_files(path);
    if (files.empty()) {
      record_locked(
          {path.string(), "[" + path.string() + "] the folder has no readable *.so file"});
    }
    for (const std::filesystem::path& file : files) {
      try {
        load_locked(file);
      } catch (const Error&) {
        // Recorded; a plug-in that does not load must not keep others from it.
      }
    }
  }
}

Device* DeviceRegistry::find_locked(std::string_view name) const {
  Device* best = nullptr;
  for (const Plugin& plugin : plugins_) {
    if (plugin.name == name) return plugin.devices.front().get();
    for (const auto& device : plugin.devices) {
      if (device->name() == name) return device.get();
      const bool is_host = plugin.path == kBuiltinPath;
      if (name == kGpuAlias && !is_host && device->properties().score > 0 &&
          (best == nullptr || device->properties().score > best->properties().score)) {
        best = device.get();
      }
    }
  }
  return best;
}

void DeviceRegistry::raise_unknown(std::string_view name) const {
  std::vector<std::string> names;
  std::string list;
  for (const Plugin& plugin : plugins_) {
    names.push_back(plugin.name);
    for (const auto& device : plugin.devices) {
      list += (list.empty() ? "" : ", ") + device->name();
      names.push_back(device->name());
    }
  }
  names.emplace_back(kGpuAlias);
  std::string text = "[device] there is no device '" + std::string(name) + "' among " +
                     (list.empty() ? "none" : list);
  if (name != kGpuAlias) text += did_you_mean(name, names);
  for (const DeviceFailure& failure : failures_) {
    text += "; a plug-in was not loaded: " + failure.reason;
  }
  throw InvalidArgumentError(text);
}

void DeviceRegistry::record_locked(DeviceFailure failure) {
  std::erase_if(failures_, [&](const DeviceFailure& known) { return known.path == failure.path; });
  failures_.push_back(std::move(failure));
}

}  // namespace addax
