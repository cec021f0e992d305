// The OpenCL devices of the machine as a plug-in: opencl:0 is the first GPU, or what else there is.
#include <memory>
#include <vector>

#include "addax/device.hpp"
#include "opencl/device.h"
#include "opencl/runtime/objects.h"
#include "opencl/runtime/program.h"

struct adx_device {
  adx_device(addax::opencl::cl_device_id id, const adx_host& services)
      : device(id, services), host(services) {}

  void describe(adx_properties& out) { device.describe(out); }
  std::unique_ptr<adx_buffer> allocate(uint64_t bytes) {
    if (bytes == 0) throw addax::plugin::Failure{ADX_INVALID_ARGUMENT, "an allocation of 0 bytes"};
    return std::make_unique<adx_buffer>(device.allocate(bytes), bytes);
  }
  std::unique_ptr<adx_queue> make_queue() {
    return std::make_unique<adx_queue>(adx_queue{device.make_queue()});
  }
  void supports(const adx_graph& graph, uint8_t* mask) {
    addax::opencl::supports(device, graph, mask);
  }
  std::unique_ptr<adx_program> compile(const adx_graph& graph) {
    return std::make_unique<adx_program>(device, graph, host);
  }

  addax::opencl::Device device;
  const adx_host& host;
};

namespace addax::opencl {
namespace {

// Never destroyed: the driver may be gone before static objects are.
const adx_plugin* make_plugin(const adx_host& host) {
  auto devices = std::make_unique<std::vector<adx_device*>>();
  for (cl_device_id id : find_devices()) {
    devices->push_back(std::make_unique<adx_device>(id, host).release());
  }
  static constexpr adx_device_api kApi = plugin::device_api();
  static const adx_plugin plugin = {.struct_size = sizeof(adx_plugin),
                                    .abi_version = ADX_ABI_VERSION,
                                    .name = "opencl",
                                    .version = "1",
                                    .api = &kApi,
                                    .devices = devices->data(),
                                    .num_devices = static_cast<int32_t>(devices->size())};
  static_cast<void>(devices.release());
  return &plugin;
}

}  // namespace
}  // namespace addax::opencl

const adx_plugin* adx_plugin_v1(const adx_host* host, adx_status* status) {
  using namespace addax;
  return plugin::guarded(status, [&]() -> const adx_plugin* {
    if (host->abi_version != ADX_ABI_VERSION) {
      throw plugin::Failure{ADX_UNSUPPORTED, "the host speaks another version of the device ABI"};
    }
    static const adx_plugin* const made = opencl::make_plugin(*host);
    return made;
  });
}
