// A device that adds and checks ranges, made with addax/device.hpp.

#include <cstddef>
#include <memory>
#include <numeric>
#include <vector>

#include "addax/device.hpp"

namespace plugin = addax::plugin;
using plugin::Call;
using plugin::Failure;
using plugin::Node;

struct adx_buffer {
  std::vector<std::byte> memory;
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

}  // namespace

struct adx_queue {
  void synchronize() {}
  void copy(const adx_location& from, const adx_location& to, uint64_t bytes) {
    std::memcpy(locate(to, bytes), locate(from, bytes), bytes);
  }
  void fill(const adx_location& to, uint8_t value, uint64_t bytes) {
    std::memset(locate(to, bytes), value, bytes);
  }
};

struct adx_program : plugin::Program {
  using Program::Program;
};

struct adx_device {
  void describe(adx_properties& out) {
    plugin::set_text(out.kind, "sums");
    plugin::set_text(out.name, "adding machine");
    out.flags = ADX_DETERMINISTIC;
    out.alignment = 16;
    out.storage_dtypes = out.compute_dtypes = 1u << ADX_FLOAT32 | 1u << ADX_INT32;
  }
  std::unique_ptr<adx_buffer> allocate(uint64_t bytes) {
    return std::make_unique<adx_buffer>(std::vector<std::byte>(bytes));
  }
  std::unique_ptr<adx_queue> make_queue() { return std::make_unique<adx_queue>(); }
  void supports(const adx_graph& graph, uint8_t* mask) { plugin::supports(graph, kKernels, mask); }
  std::unique_ptr<adx_program> compile(const adx_graph& graph) {
    return std::make_unique<adx_program>(graph, kKernels, *the_host, address_of);
  }
};

const adx_plugin* adx_plugin_v1(const adx_host* host, adx_status*) {
  static constexpr adx_device_api kApi = plugin::device_api();
  static adx_device device;
  static adx_device* const devices[] = {&device};
  static const adx_plugin plugin = {.struct_size = sizeof plugin,
                                    .abi_version = ADX_ABI_VERSION,
                                    .name = "sums",
                                    .version = "1",
                                    .api = &kApi,
                                    .devices = devices,
                                    .num_devices = 1};
  the_host = host;
  return &plugin;
}
