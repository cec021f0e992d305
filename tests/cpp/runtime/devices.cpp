#include "runtime/devices.h"

#include "cpu/plugin.h"
#include "runtime/host_services.h"

namespace addax::testing {

Device& cpu() {
  static Device& device = []() -> Device& {
    start_runtime();
    DeviceRegistry::instance().register_builtin(adx_cpu_plugin);
    return DeviceRegistry::instance().get("cpu");
  }();
  return device;
}

Device& null_device(int index) {
  return *DeviceRegistry::instance().load_plugin(ADDAX_NULL_PLUGIN).at(static_cast<size_t>(index));
}

Buffer upload(Device& device, const void* data, uint64_t bytes) {
  Buffer buffer = device.alloc(bytes);
  device.copy_from_host(data, buffer, bytes);
  return buffer;
}

}  // namespace addax::testing
