// A device that allocates, validates and computes nothing: what stands above devices is tested
// with it. null:0 has unified memory, null:1 has opaque buffers and an asynchronous queue.
//   ADDAX_NULL_MEMORY  bytes that each device has (default 2^34); beyond is out of memory
//   ADDAX_NULL_REFUSE  ops, separated by commas, that the devices do not support

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "null/node.h"
#include "null/placement.h"
#include "null/rules.h"

namespace null_device = addax::null_device;
using addax::plugin::element;
using addax::plugin::guarded;
using addax::plugin::set_text;
using null_device::Node;
using null_device::Problem;

struct adx_device {
  bool is_opaque;
  std::atomic<uint64_t> bytes_in_use{0};
};

struct adx_queue {};

struct adx_event {
  std::chrono::steady_clock::time_point recorded;
};

struct adx_buffer {
  std::unique_ptr<char[]> own;  // null for wrapped memory
  void* data;
  uint64_t bytes;
};

struct adx_program {
  uint64_t arena_bytes;
  std::vector<uint64_t> binding_bytes;
};

namespace {

constexpr uint64_t kAlignment = 64;

uint64_t memory_size() {
  const char* const text = std::getenv("ADDAX_NULL_MEMORY");
  return text == nullptr ? uint64_t{1} << 34 : std::strtoull(text, nullptr, 10);
}

bool is_refused(std::string_view op) {
  const char* const text = std::getenv("ADDAX_NULL_REFUSE");
  const std::string list = "," + std::string(text == nullptr ? "" : text) + ",";
  return list.find("," + std::string(op) + ",") != std::string::npos;
}

void properties(adx_device* device, adx_properties* out, adx_status*) {
  constexpr uint32_t kAllDTypes = (1u << (ADX_FLOAT64 + 1)) - 1;
  out->flags = ADX_DETERMINISTIC |
               (device->is_opaque ? ADX_OPAQUE_BUFFERS | ADX_ASYNCHRONOUS : ADX_UNIFIED_MEMORY);
  set_text(out->kind, "null");
  set_text(out->name, "null device");
  set_text(out->vendor, "addax");
  set_text(out->details, device->is_opaque ? "memory=opaque" : "memory=unified");
  out->total_memory = memory_size();
  out->largest_allocation = memory_size();
  out->alignment = kAlignment;
  out->units = 1;
  out->storage_dtypes = kAllDTypes;
  out->compute_dtypes = kAllDTypes;
  out->score = -1;
}

adx_buffer* alloc(adx_device* device, uint64_t bytes, adx_status* status) {
  return guarded(status, [&]() -> adx_buffer* {
    if (bytes == 0) throw Problem{ADX_INVALID_ARGUMENT, "[null] allocation of 0 bytes"};
    if (device->bytes_in_use.fetch_add(bytes) + bytes > memory_size()) {
      device->bytes_in_use.fetch_sub(bytes);
      throw Problem{ADX_OUT_OF_MEMORY, "[null] " + std::to_string(bytes) + " bytes do not fit"};
    }
    auto data = std::make_unique<char[]>(bytes);
    char* const address = data.get();
    return std::make_unique<adx_buffer>(adx_buffer{std::move(data), address, bytes}).release();
  });
}

void free_buffer(adx_device* device, adx_buffer* buffer) {
  const std::unique_ptr<adx_buffer> end(buffer);
  if (buffer->own != nullptr) device->bytes_in_use.fetch_sub(buffer->bytes);
}

void* map(adx_device* device, adx_buffer* buffer, adx_status* status) {
  return guarded(status, [&]() -> void* {
    if (device->is_opaque) throw Problem{ADX_UNSUPPORTED, "[null] buffers are opaque"};
    return buffer->data;
  });
}

adx_buffer* wrap(adx_device* device, void* host, uint64_t bytes, adx_status* status) {
  return guarded(status, [&]() -> adx_buffer* {
    if (device->is_opaque) throw Problem{ADX_UNSUPPORTED, "[null] buffers are opaque"};
    if (host == nullptr) throw Problem{ADX_INVALID_ARGUMENT, "[null] wrap of a null address"};
    return std::make_unique<adx_buffer>(adx_buffer{nullptr, host, bytes}).release();
  });
}

uint64_t free_memory(adx_device* device) { return memory_size() - device->bytes_in_use.load(); }

adx_queue* queue_create(adx_device*, adx_status* status) {
  return guarded(status, [] { return std::make_unique<adx_queue>().release(); });
}

void queue_destroy(adx_device*, adx_queue* queue) { const std::unique_ptr<adx_queue> end(queue); }

void queue_synchronize(adx_device*, adx_queue*, adx_status*) {}

adx_event* event_create(adx_device*, adx_status* status) {
  return guarded(status, [] { return std::make_unique<adx_event>().release(); });
}

void event_destroy(adx_device*, adx_event* event) { const std::unique_ptr<adx_event> end(event); }

void event_record(adx_device*, adx_queue*, adx_event* event, adx_status*) {
  event->recorded = std::chrono::steady_clock::now();
}

void event_wait(adx_device*, adx_queue*, adx_event*, adx_status*) {}

int32_t event_query(adx_device*, adx_event*) { return 1; }

double event_elapsed_us(adx_device*, adx_event* from, adx_event* to) {
  return std::chrono::duration<double, std::micro>(to->recorded - from->recorded).count();
}

char* address_of(const adx_location& location, uint64_t bytes) {
  if (location.buffer == nullptr) {
    if (location.host == nullptr) throw Problem{ADX_INVALID_ARGUMENT, "[null] no address"};
    return static_cast<char*>(location.host) + location.offset;
  }
  if (location.offset > location.buffer->bytes ||
      bytes > location.buffer->bytes - location.offset) {
    throw Problem{ADX_OUT_OF_RANGE, "[null] a transfer reaches outside of its buffer"};
  }
  return static_cast<char*>(location.buffer->data) + location.offset;
}

void copy(adx_device*, adx_queue*, const adx_location* from, const adx_location* to, uint64_t bytes,
          adx_status* status) {
  guarded(status, [&] { std::memmove(address_of(*to, bytes), address_of(*from, bytes), bytes); });
}

void fill(adx_device*, adx_queue*, const adx_location* to, uint8_t value, uint64_t bytes,
          adx_status* status) {
  guarded(status, [&] { std::memset(address_of(*to, bytes), value, bytes); });
}

void supports(adx_device*, const adx_graph* graph, uint8_t* mask, adx_status* status) {
  guarded(status, [&] {
    for (int32_t i = 0; i < graph->num_nodes; ++i) {
      const Node node(*graph, i);
      mask[i] = null_device::find_rule(node.op()) != nullptr && !is_refused(node.op()) ? 1 : 0;
    }
  });
}

adx_program* compile(adx_device*, const adx_graph* graph, adx_status* status) {
  return guarded(status, [&]() -> adx_program* {
    for (int32_t i = 0; i < graph->num_nodes; ++i) {
      const Node node(*graph, i);
      null_device::check_node(node);
      node.require(!is_refused(node.op()), ADX_UNSUPPORTED, "is refused");
    }
    null_device::check_placement(*graph, kAlignment);
    adx_program program{graph->arena_bytes,
                        std::vector<uint64_t>(static_cast<size_t>(graph->num_bindings), 0)};
    for (int32_t i = 0; i < graph->num_tensors; ++i) {
      const adx_tensor& tensor = element(graph->tensors, i);
      if (tensor.storage != ADX_STORAGE_BINDING) continue;
      uint64_t& bytes = program.binding_bytes[static_cast<size_t>(tensor.binding)];
      bytes = std::max(bytes, tensor.offset + null_device::type_of(tensor).bytes());
    }
    return std::make_unique<adx_program>(std::move(program)).release();
  });
}

void program_destroy(adx_device*, adx_program* program) {
  const std::unique_ptr<adx_program> end(program);
}

void check_binding(const adx_binding* binding, uint64_t bytes, const std::string& what) {
  if (bytes == 0) return;
  if (binding == nullptr || binding->buffer == nullptr) {
    throw Problem{ADX_INVALID_ARGUMENT, "[null] " + what + " is missing"};
  }
  if (binding->offset + bytes > binding->buffer->bytes) {
    throw Problem{ADX_OUT_OF_RANGE, "[null] " + what + " is smaller than the " +
                                        std::to_string(bytes) + " bytes that are used"};
  }
}

void run(adx_device*, adx_queue* queue, adx_program* program, const adx_binding* arena,
         const adx_binding* bindings, int32_t num_bindings, uint64_t n_steps, adx_control* control,
         adx_status* status) {
  guarded(status, [&] {
    if (queue == nullptr) throw Problem{ADX_INVALID_ARGUMENT, "[null] no queue"};
    if (static_cast<size_t>(num_bindings) != program->binding_bytes.size()) {
      throw Problem{ADX_INVALID_ARGUMENT, "[null] the number of bindings differs from the graph's"};
    }
    check_binding(arena, program->arena_bytes, "the arena");
    for (int32_t i = 0; i < num_bindings; ++i) {
      check_binding(&element(bindings, i), program->binding_bytes[static_cast<size_t>(i)],
                    "binding " + std::to_string(i));
    }
    for (uint64_t i = 0; i < n_steps; ++i) {
      if (std::atomic_ref(control->stop).load(std::memory_order_relaxed) != 0) return;
      std::atomic_ref(control->steps_done).fetch_add(1, std::memory_order_relaxed);
    }
  });
}

constexpr adx_device_api kApi = {.struct_size = sizeof(adx_device_api),
                                 .properties = properties,
                                 .alloc = alloc,
                                 .free = free_buffer,
                                 .map = map,
                                 .wrap = wrap,
                                 .free_memory = free_memory,
                                 .queue_create = queue_create,
                                 .queue_destroy = queue_destroy,
                                 .queue_synchronize = queue_synchronize,
                                 .copy = copy,
                                 .fill = fill,
                                 .event_create = event_create,
                                 .event_destroy = event_destroy,
                                 .event_record = event_record,
                                 .event_wait = event_wait,
                                 .event_query = event_query,
                                 .event_elapsed_us = event_elapsed_us,
                                 .supports = supports,
                                 .compile = compile,
                                 .program_destroy = program_destroy,
                                 .run = run};

adx_device unified{.is_opaque = false};
adx_device opaque{.is_opaque = true};
adx_device* const kDevices[] = {&unified, &opaque};

constexpr adx_plugin kPlugin = {.struct_size = sizeof(adx_plugin),
                                .abi_version = ADX_ABI_VERSION,
                                .name = "null",
                                .version = "1",
                                .api = &kApi,
                                .devices = kDevices,
                                .num_devices = 2};

}  // namespace

const adx_plugin* adx_plugin_v1(const adx_host* host, adx_status* status) {
  if (host->abi_version != ADX_ABI_VERSION) {
    addax::plugin::report(status, ADX_UNSUPPORTED,
                          "[null] the host speaks another version of the device ABI");
    return nullptr;
  }
  return &kPlugin;
}
