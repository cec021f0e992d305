#include "cpu/plugin.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>

#include "core/dtype.h"
#include "cpu/gemm_kernels.h"
#include "cpu/isa.h"
#include "cpu/memory.h"
#include "cpu/program.h"
#include "cpu/queue.h"
#include "cpu/status.h"

struct adx_device {};

namespace addax::cpu {
namespace {

const adx_host* the_host = nullptr;
adx_device the_device;

// The value of the first line of /proc/cpuinfo that begins with `key`.
std::string cpu_info(std::string_view key, std::string otherwise) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with(key) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return otherwise;
}

template <size_t kSize>
void copy_text(char (&to)[kSize], const std::string& text) {
  const size_t length = std::min(text.size(), kSize - 1);
  std::memcpy(to, text.data(), length);
  to[length] = '\0';
}

void device_properties(adx_device*, adx_properties* out, adx_status* status) {
  guarded(status, [&] {
    constexpr uint32_t kAllDTypes = (1u << kNumDTypes) - 1;
    const CacheSizes& caches = cache_sizes();
    const int32_t threads = the_host->num_threads();
    out->flags = ADX_UNIFIED_MEMORY | ADX_DETERMINISTIC;
    copy_text(out->kind, "cpu");
    copy_text(out->name, cpu_info("model name", "CPU"));
    copy_text(out->vendor, cpu_info("vendor_id", "unknown"));
    copy_text(out->details,
              "isa=" + std::string(name(active_isa())) + " threads=" + std::to_string(threads) +
                  " l1=" + std::to_string(caches.l1) + " l2=" + std::to_string(caches.l2) +
                  " l3=" + std::to_string(caches.l3));
    out->total_memory = total_memory();
    out->largest_allocation = total_memory();
    out->alignment = kWorkspaceAlignment;
    out->units = static_cast<uint32_t>(std::max(threads, 1));
    out->storage_dtypes = kAllDTypes;
    out->compute_dtypes = kAllDTypes;
    out->score = 0;
    if (has_bfloat16_kernels(active_isa())) out->fast_dtypes = 1u << ADX_BFLOAT16;
  });
}

adx_device_api make_api() {
  adx_device_api api = {};
  api.struct_size = sizeof(api);
  api.properties = device_properties;
  api.alloc = buffer_alloc;
  api.free = buffer_free;
  api.map = buffer_map;
  api.wrap = buffer_wrap;
  api.free_memory = buffer_free_memory;
  api.queue_create = queue_create;
  api.queue_destroy = queue_destroy;
  api.queue_synchronize = queue_synchronize;
  api.copy = queue_copy;
  api.fill = queue_fill;
  api.supports = device_supports;
  api.compile = device_compile;
  api.program_destroy = device_program_destroy;
  api.run = device_run;
  return api;
}

}  // namespace

const adx_host& plugin_host() { return *the_host; }

}  // namespace addax::cpu

const adx_plugin* adx_cpu_plugin(const adx_host* host, adx_status* status) {
  using namespace addax::cpu;
  if (host->abi_version != ADX_ABI_VERSION) {
    set_status(status, ADX_UNSUPPORTED, "[cpu] the host speaks another version of the device ABI");
    return nullptr;
  }
  static const adx_device_api api = make_api();
  static adx_device* const devices[] = {&the_device};
  static const adx_plugin plugin = {
      sizeof(adx_plugin), ADX_ABI_VERSION, "cpu", "1", &api, devices, 1};
  if (the_host == nullptr) the_host = host;
  return &plugin;
}
