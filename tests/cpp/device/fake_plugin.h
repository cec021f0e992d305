#pragma once

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "addax/device.h"

// A plug-in in the test's own process, whose every part a test may break. There is one at a time.
struct adx_device {
  int id = 0;
};
struct adx_queue {};
struct adx_buffer {
  std::vector<char> data;
};

namespace addax::testing {

struct FakePlugin {
  inline static FakePlugin* current = nullptr;

  adx_device device;
  adx_device* devices[2] = {&device, &device};
  adx_device_api api{};
  adx_plugin plugin{};
  adx_properties properties{};
  adx_code error = ADX_OK;  // reported by the entry point
  std::string message;
  bool returns_null = false;
  std::atomic<uint64_t> memory_left = UINT64_MAX;
  std::atomic<int> live_buffers = 0;
  std::atomic<int> live_queues = 0;

  FakePlugin() {
    current = this;
    properties.struct_size = sizeof properties;
    properties.flags = ADX_UNIFIED_MEMORY;
    std::strcpy(properties.kind, "fake");
    properties.alignment = 64;
    properties.total_memory = 1 << 30;
    properties.largest_allocation = 1 << 30;
    api.struct_size = sizeof api;
    api.properties = [](adx_device*, adx_properties* out, adx_status*) {
      *out = current->properties;
    };
    api.alloc = [](adx_device*, uint64_t bytes, adx_status* status) -> adx_buffer* {
      if (bytes > current->memory_left) {
        status->code = ADX_OUT_OF_MEMORY;
        std::strcpy(status->message, "nothing left");
        return nullptr;
      }
      current->memory_left -= bytes;
      ++current->live_buffers;
      return new adx_buffer{std::vector<char>(bytes)};
    };
    api.free = [](adx_device*, adx_buffer* buffer) {
      current->memory_left += buffer->data.size();
      --current->live_buffers;
      delete buffer;
    };
    api.map = [](adx_device*, adx_buffer* buffer, adx_status*) -> void* {
      return buffer->data.data();
    };
    api.queue_create = [](adx_device*, adx_status*) {
      ++current->live_queues;
      return new adx_queue;
    };
    api.queue_destroy = [](adx_device*, adx_queue* queue) {
      --current->live_queues;
      delete queue;
    };
    api.queue_synchronize = [](adx_device*, adx_queue*, adx_status*) {};
    api.copy = [](adx_device*, adx_queue*, const adx_location* from, const adx_location* to,
                  uint64_t bytes, adx_status*) {
      const auto address = [](const adx_location& location) {
        return (location.buffer == nullptr ? static_cast<char*>(location.host)
                                           : location.buffer->data.data()) +
               location.offset;
      };
      std::memmove(address(*to), address(*from), bytes);
    };
    api.fill = [](adx_device*, adx_queue*, const adx_location* to, uint8_t value, uint64_t bytes,
                  adx_status*) { std::memset(to->buffer->data.data() + to->offset, value, bytes); };
    api.supports = [](adx_device*, const adx_graph*, uint8_t*, adx_status*) {};
    api.compile = [](adx_device*, const adx_graph*, adx_status*) -> adx_program* {
      return nullptr;
    };
    api.program_destroy = [](adx_device*, adx_program*) {};
    api.run = [](adx_device*, adx_queue*, adx_program*, const adx_binding*, const adx_binding*,
                 int32_t, uint64_t, adx_control*, adx_status*) {};
    plugin.struct_size = sizeof plugin;
    plugin.abi_version = ADX_ABI_VERSION;
    plugin.name = "fake";
    plugin.version = "7";
    plugin.api = &api;
    plugin.devices = devices;
    plugin.num_devices = 1;
  }
  FakePlugin(const FakePlugin&) = delete;
  FakePlugin& operator=(const FakePlugin&) = delete;

  static const adx_plugin* entry(const adx_host*, adx_status* status) {
    status->code = current->error;
    std::strcpy(status->message, current->message.c_str());
    return current->returns_null ? nullptr : &current->plugin;
  }
};

}  // namespace addax::testing
