#include "device/plugin.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <system_error>

#include "core/error.h"
#include "device/elf.h"
#include "device/host.h"
#include "device/status.h"
#include "device/trial.h"

namespace addax {
namespace {

// What version 1 of the ABI has at least.
constexpr size_t kPluginSize = offsetof(adx_plugin, num_devices) + sizeof(int32_t);
constexpr size_t kApiSize = offsetof(adx_device_api, run) + sizeof(adx_device_api::run);

// More than any version will have: what a plug-in says beyond is taken for a mistake.
constexpr size_t kLargestStruct = size_t{1} << 16;
constexpr int32_t kMostDevices = 1024;
constexpr size_t kLongestName = 63;

// What users write for a device that is to be chosen.
constexpr std::string_view kReservedNames[] = {"auto", "gpu"};

[[noreturn]] void reject(const std::string& path, const std::string& reason) {
  throw DeviceError("[" + path + "] " + reason);
}

void check_name(const std::string& path, std::string_view name) {
  const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (!is_name || name.size() > kLongestName) {
    reject(path, "its name must consist of a-z, 0-9, '_' and '-', 1 to " +
                     std::to_string(kLongestName) + " of them, got '" +
                     std::string(name.substr(0, kLongestName)) + "'");
  }
  if (std::find(std::begin(kReservedNames), std::end(kReservedNames), name) !=
      std::end(kReservedNames)) {
    reject(path, "its name must not be '" + std::string(name) +
                     "', which stands for a device that is chosen; take another");
  }
}

void check_size(const std::string& path, const char* what, size_t size, size_t least) {
  if (size >= least && size <= kLargestStruct) return;
  reject(path, std::string("its ") + what + " says that it has " + std::to_string(size) +
                   " bytes where ABI version 1 has " + std::to_string(least) +
                   "; set struct_size by sizeof and rebuild the plug-in against addax/device.h");
}

// The table as this version knows it; functions that the plug-in's table does not reach are null.
adx_device_api read_api(const adx_device_api& table, const std::string& path) {
  check_size(path, "function table", table.struct_size, kApiSize);
  adx_device_api api{};
  std::memcpy(&api, &table, std::min<size_t>(table.struct_size, sizeof api));
  const std::pair<bool, const char*> mandatory[] = {
      {api.properties != nullptr, "properties"},
      {api.alloc != nullptr, "alloc"},
      {api.free != nullptr, "free"},
      {api.queue_create != nullptr, "queue_create"},
      {api.queue_destroy != nullptr, "queue_destroy"},
      {api.queue_synchronize != nullptr, "queue_synchronize"},
      {api.copy != nullptr, "copy"},
      {api.fill != nullptr, "fill"},
      {api.supports != nullptr, "supports"},
      {api.compile != nullptr, "compile"},
      {api.program_destroy != nullptr, "program_destroy"},
      {api.run != nullptr, "run"},
  };
  for (const auto& [present, name] : mandatory) {
    if (!present)
      reject(path, "its function table lacks the mandatory function '" + std::string(name) + "'");
  }
  const int events = (api.event_create != nullptr) + (api.event_destroy != nullptr) +
                     (api.event_record != nullptr) + (api.event_wait != nullptr) +
                     (api.event_query != nullptr) + (api.event_elapsed_us != nullptr);
  if (events != 0 && events != 6) {
    reject(path, "its function table has " + std::to_string(events) +
                     " of the 6 functions for events; give all or none");
  }
  return api;
}

Plugin read_plugin(adx_plugin_fn function, const std::string& path) {
  Status status;
  const adx_plugin* const table = function(&host_table(), status.get());
  status.check(path);
  if (table == nullptr) reject(path, "it returned no plug-in and no error");
  check_size(path, "plug-in record", table->struct_size, kPluginSize);
  if (table->abi_version != ADX_ABI_VERSION) {
    reject(path, "it is made for version " + std::to_string(table->abi_version) +
                     " of the device ABI; this is version " + std::to_string(ADX_ABI_VERSION));
  }
  check_name(path, table->name == nullptr ? "" : table->name);
  if (table->api == nullptr) reject(path, "it has no function table");
  if (table->num_devices < 0 || table->num_devices > kMostDevices) {
    reject(path, "it says that it has " + std::to_string(table->num_devices) +
                     " devices; there are 1 to " + std::to_string(kMostDevices));
  }
  if (table->num_devices > 0 && table->devices == nullptr) reject(path, "its devices are null");
  if (table->num_devices == 0) reject(path, "it found no device on this machine");

  const adx_device_api api = read_api(*table->api, path);
  Plugin plugin{.name = table->name,
                .version = table->version == nullptr ? "" : table->version,
                .path = path,
                .devices = {},
                .failures = {}};
  std::exception_ptr first_failure;
  for (int32_t i = 0; i < table->num_devices; ++i) {
    const std::string name = plugin.name + ":" + std::to_string(i);
    try {
      if (table->devices[i] == nullptr) reject(path, "its device " + name + " is null");
      auto device = std::make_unique<Device>(name, api, table->devices[i]);
      try_device(*device);
      plugin.devices.push_back(std::move(device));
    } catch (const Error& failure) {
      plugin.failures.push_back({path, failure.what()});
      if (!first_failure) first_failure = std::current_exception();
    }
  }
  if (plugin.devices.empty()) std::rethrow_exception(first_failure);
  return plugin;
}

void check_file(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  const std::string place = "[" + path.string() + "] ";
  if (std::filesystem::is_directory(status)) {
    throw IoError(place + "this is a folder; name the plug-in's file in it");
  }
  if (!std::filesystem::exists(status)) throw IoError(place + "there is no such plug-in file");
  if (!std::filesystem::is_regular_file(status)) throw IoError(place + "this is no plain file");
  if (lacks_its_end(path)) {
    throw IoError(place + "the file is shorter than the library in it; copy or build it anew");
  }
}

}  // namespace

Plugin open_plugin(adx_plugin_fn function, const std::string& path) {
  const std::string thrown = "it lets a C++ exception out; catch it and fill in the status: ";
  try {
    return read_plugin(function, path);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& exception) {
    reject(path, thrown + exception.what());
  } catch (...) {
    reject(path, thrown + "of an unknown type");
  }
}

Plugin open_plugin(const std::filesystem::path& path) {
  check_file(path);
  // A name without a folder would be looked for elsewhere.
  const std::string file = std::filesystem::absolute(path);
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = dlerror();
    reject(path.string(), std::string("it is not a loadable library: ") +
                              (reason == nullptr ? "unknown reason" : reason));
  }
  void* const symbol = dlsym(library, ADX_PLUGIN_SYMBOL);
  if (symbol == nullptr) {
    dlclose(library);
    reject(path.string(), "it is no plug-in: it does not export " ADX_PLUGIN_SYMBOL);
  }
  return open_plugin(reinterpret_cast<adx_plugin_fn>(symbol), path.string());
}

}  // namespace addax
