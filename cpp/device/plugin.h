#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "addax/device.h"
#include "device/device.h"

namespace addax {

// Stands for the path of plug-ins that are linked into the process.
inline constexpr const char* kBuiltinPath = "built-in";

// A plug-in, or a device of one, that cannot be used.
struct DeviceFailure {
  std::string path;
  std::string reason;
};

// A loaded plug-in and its devices, named "<plug-in>:<index>"; those that do not work are among the
// failures instead.
struct Plugin {
  std::string name;
  std::string version;
  std::string path;
  std::vector<std::unique_ptr<Device>> devices;
  std::vector<DeviceFailure> failures;
};

// Calls the plug-in's function, checks everything that it returns (ABI version, struct sizes,
// mandatory functions, names, properties), makes its devices and tries them. Throws DeviceError
// that begins with "[path]" and names what is wrong, or the typed error that the plug-in itself
// reported; that of its first device where none works.
Plugin open_plugin(adx_plugin_fn function, const std::string& path);

// The same for a shared library; IoError when there is no such file, DeviceError when it is no
// plug-in. Libraries are never unloaded.
Plugin open_plugin(const std::filesystem::path& path);

}  // namespace addax
