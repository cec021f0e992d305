// A device that adds and checks ranges, made with addax/device.hpp.

#include <cstddef>
#include <memory>
#include <numeric>
#include <vector>

#include "addax/device.hpp"

namespace plugin = addax::plugin;
using plugin::Call;
using plugin::Failure;
using plugin::guarded;
using plugin::Node;

struct adx_device {};
struct adx_queue {};
struct adx_buffer {
  std::vector<std::byte> memory;
};
struct adx_program : plugin::Program {
  using Program::Program;
};

namespace {

const adx_host* the_host = nullptr;

bool takes_equal_floats(const Node& node) {
  const plugin::Tensor& y = node.output();
  for (const plugin::Tensor& x : node.inputs()) {
    if (x.dtype != ADX_FLOAT32 || x.dims != y.dims) return false;
  }
  return true;
}

void add(const Call& call) {
  const float *a = call.input<float>(0), *b = call.input<float>(1);
  for (int64_t i = 0; i < call.node.output().elements(); ++i) call.output<float>()[i] = a[i] + b[i];
}

bool takes_a_whole_sum(const Node& node) {
  return node.input(0).dtype == ADX_FLOAT32 && !node.flag("keepdims") &&
         node.ints("axes").size() == node.input(0).dims.size();
}

void sum(const Call& call) {
  const float* x = call.input<float>(0);
  *call.output<float>() = std::accumulate(x, x + call.node.input(0).elements(), 0.0f);
}

bool takes_int32(const Node& node) { return node.input(0).dtype == ADX_INT32; }

void check_range(const Call& call) {
  const auto* x = call.input<int32_t>(0);
  for (int64_t i = 0; i < call.node.input(0).elements(); ++i) {
    const bool is_inside = x[i] >= call.node.integer("low") && x[i] < call.node.integer("high");
    if (!is_inside) throw plugin::CheckFailure{i, static_cast<double>(x[i])};
    call.output<int32_t>()[i] = x[i];
  }
}

constexpr plugin::Kernel kKernels[] = {{"add", takes_equal_floats, add},
                                       {"sum", takes_a_whole_sum, sum},
                                       {"check_range", takes_int32, check_range}};

std::byte* address_of(adx_buffer* buffer) { return buffer->memory.data(); }

std::byte* locate(const adx_location& location, uint64_t bytes) {
  if (location.buffer == nullptr) return static_cast<std::byte*>(location.host) + location.offset;
  const uint64_t size = location.buffer->memory.size();
  if (location.offset > size || bytes > size - location.offset) {
    throw Failure{ADX_OUT_OF_RANGE, "[sums] reaches outside of a buffer"};
  }
  return address_of(location.buffer) + location.offset;
}

adx_device_api make_api() {
  adx_device_api api = {};
  api.struct_size = sizeof api;
  api.properties = [](adx_device*, adx_properties* out, adx_status*) {
    plugin::set_text(out->kind, "sums");
    plugin::set_text(out->name, "adding machine");
    out->flags = ADX_DETERMINISTIC;
    out->alignment = 16;
    out->storage_dtypes = out->compute_dtypes = 1u << ADX_FLOAT32 | 1u << ADX_INT32;
  };
  api.alloc = [](adx_device*, uint64_t bytes, adx_status* status) {
    return guarded(status, [&] {
      return std::make_unique<adx_buffer>(std::vector<std::byte>(bytes)).release();
    });
  };
  api.free = [](adx_device*, adx_buffer* buffer) { const std::unique_ptr<adx_buffer> end(buffer); };
  api.queue_create = [](adx_device*, adx_status* status) {
    return guarded(status, [] { return std::make_unique<adx_queue>().release(); });
  };
  api.queue_destroy = [](adx_device*, adx_queue* queue) {
    const std::unique_ptr<adx_queue> end(queue);
  };
  api.queue_synchronize = [](adx_device*, adx_queue*, adx_status*) {};
  api.copy = [](adx_device*, adx_queue*, const adx_location* from, const adx_location* to,
                uint64_t bytes, adx_status* status) {
    guarded(status, [&] { std::memcpy(locate(*to, bytes), locate(*from, bytes), bytes); });
  };
  api.fill = [](adx_device*, adx_queue*, const adx_location* to, uint8_t value, uint64_t bytes,
                adx_status* status) {
    guarded(status, [&] { std::memset(locate(*to, bytes), value, bytes); });
  };
  api.supports = [](adx_device*, const adx_graph* graph, uint8_t* mask, adx_status* status) {
    guarded(status, [&] { plugin::supports(*graph, kKernels, mask); });
  };
  api.compile = [](adx_device*, const adx_graph* graph, adx_status* status) {
    return guarded(status, [&] {
      return std::make_unique<adx_program>(*graph, kKernels, *the_host, address_of).release();
    });
  };
  api.program_destroy = [](adx_device*, adx_program* program) {
    const std::unique_ptr<adx_program> end(program);
  };
  api.run = [](adx_device*, adx_queue*, adx_program* program, const adx_binding* arena,
               const adx_binding* bindings, int32_t num_bindings, uint64_t n_steps,
               adx_control* control, adx_status* status) {
    guarded(status, [&] { program->run(arena, bindings, num_bindings, n_steps, control); });
  };
  return api;
}

}  // namespace

const adx_plugin* adx_plugin_v1(const adx_host* host, adx_status*) {
  static const adx_device_api api = make_api();
  static adx_device device;
  static adx_device* const devices[] = {&device};
  static const adx_plugin plugin = {.struct_size = sizeof plugin,
                                    .abi_version = ADX_ABI_VERSION,
                                    .name = "sums",
                                    .version = "1",
                                    .api = &api,
                                    .devices = devices,
                                    .num_devices = 1};
  the_host = host;
  return &plugin;
}
