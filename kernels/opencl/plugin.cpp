// The OpenCL devices of the machine as a plug-in: opencl:0 is the first GPU, or what else there is.
#include <memory>
#include <vector>

#include "addax/device.hpp"
#include "opencl/device.h"
#include "opencl/runtime/events.h"
#include "opencl/runtime/objects.h"
#include "opencl/runtime/program.h"

namespace addax::opencl {
namespace {

const adx_host* the_host = nullptr;

void properties(adx_device* device, adx_properties* out, adx_status* status) {
  plugin::guarded(status, [&] { device->describe(*out); });
}

adx_program* compile(adx_device* device, const adx_graph* graph, adx_status* status) {
  return plugin::guarded(status, [&]() -> adx_program* {
    return std::make_unique<adx_program>(*device, *graph, *the_host).release();
  });
}

void program_destroy(adx_device*, adx_program* program) {
  const std::unique_ptr<adx_program> end(program);
}

adx_device_api make_api() {
  adx_device_api api = {};
  api.struct_size = sizeof api;
  api.properties = properties;
  api.alloc = buffer_alloc;
  api.free = buffer_free;
  api.queue_create = queue_create;
  api.queue_destroy = queue_destroy;
  api.queue_synchronize = queue_synchronize;
  api.copy = queue_copy;
  api.fill = queue_fill;
  api.event_create = event_create;
  api.event_destroy = event_destroy;
  api.event_record = event_record;
  api.event_wait = event_wait;
  api.event_query = event_query;
  api.event_elapsed_us = event_elapsed_us;
  api.supports = device_supports;
  api.compile = compile;
  api.program_destroy = program_destroy;
  api.run = device_run;
  return api;
}

// Never destroyed: the driver may be gone before static objects are.
const adx_plugin* make_plugin() {
  auto devices = std::make_unique<std::vector<adx_device*>>();
  for (cl_device_id id : find_devices()) {
    devices->push_back(std::make_unique<adx_device>(id, *the_host).release());
  }
  static const adx_device_api api = make_api();
  static const adx_plugin plugin = {.struct_size = sizeof(adx_plugin),
                                    .abi_version = ADX_ABI_VERSION,
                                    .name = "opencl",
                                    .version = "1",
                                    .api = &api,
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
    opencl::the_host = host;
    static const adx_plugin* const made = opencl::make_plugin();
    return made;
  });
}
