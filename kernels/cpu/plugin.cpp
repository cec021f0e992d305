#include "cpu/plugin.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>

#include "addax/device.hpp"
#include "core/dtype.h"
#include "cpu/gemm/gemm_kernels.h"
#include "cpu/isa/isa.h"
#include "cpu/lowering/kernel_table.h"
#include "cpu/runtime/memory.h"
#include "cpu/runtime/program.h"
#include "cpu/runtime/queue.h"
#include "cpu/runtime/status.h"

namespace addax::cpu {
namespace {

const adx_host* the_host = nullptr;

// The value of the first line of /proc/cpuinfo that begins with `key`.
std::string cpu_info(std::string_view key, std::string otherwise) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with(key) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return otherwise;
}

}  // namespace

class Device {
 public:
  void describe(adx_properties& out) {
    constexpr uint32_t kAllDTypes = (1u << kNumDTypes) - 1;
    const CacheSizes& caches = cache_sizes();
    const int32_t threads = the_host->num_threads();
    out.flags = ADX_UNIFIED_MEMORY | ADX_DETERMINISTIC;
    plugin::set_text(out.kind, "cpu");
    plugin::set_text(out.name, cpu_info("model name", "CPU"));
    plugin::set_text(out.vendor, cpu_info("vendor_id", "unknown"));
    plugin::set_text(out.details, "isa=" + std::string(name(active_isa())) + " threads=" +
                                      std::to_string(threads) + " l1=" + std::to_string(caches.l1) +
                                      " l2=" + std::to_string(caches.l2) +
                                      " l3=" + std::to_string(caches.l3));
    out.total_memory = total_memory();
    out.largest_allocation = total_memory();
    out.alignment = kWorkspaceAlignment;
    out.units = static_cast<uint32_t>(std::max(threads, 1));
    out.storage_dtypes = kAllDTypes;
    out.compute_dtypes = kAllDTypes;
    out.score = 0;
    if (has_bfloat16_kernels(active_isa())) out.fast_dtypes = 1u << ADX_BFLOAT16;
  }

  std::unique_ptr<adx_buffer> allocate(uint64_t bytes) {
    return std::make_unique<adx_buffer>(bytes);
  }
  std::unique_ptr<adx_buffer> wrap(void* host, uint64_t bytes) {
    return std::make_unique<adx_buffer>(host, bytes);
  }
  uint64_t free_memory() { return available_memory(); }
  std::unique_ptr<adx_queue> make_queue() { return std::make_unique<adx_queue>(); }

  void supports(const adx_graph& graph, uint8_t* mask) {
    for (int32_t i = 0; i < graph.num_nodes; ++i) {
      mask[i] = find_kernel(Node(graph, i)) != nullptr ? 1 : 0;
    }
  }
  std::unique_ptr<adx_program> compile(const adx_graph& graph) {
    return std::make_unique<adx_program>(graph, *the_host);
  }
};

}  // namespace addax::cpu

struct adx_device : addax::cpu::Device {};

const adx_plugin* adx_cpu_plugin(const adx_host* host, adx_status* status) {
  using namespace addax;
  if (host->abi_version != ADX_ABI_VERSION) {
    plugin::report(status, ADX_UNSUPPORTED,
                   "[cpu] the host speaks another version of the device ABI");
    return nullptr;
  }
  static constexpr adx_device_api kApi = plugin::device_api<cpu::report_exception>();
  static adx_device device;
  static adx_device* const devices[] = {&device};
  static const adx_plugin plugin = {
      sizeof(adx_plugin), ADX_ABI_VERSION, "cpu", "1", &kApi, devices, 1};
  if (cpu::the_host == nullptr) cpu::the_host = host;
  return &plugin;
}
