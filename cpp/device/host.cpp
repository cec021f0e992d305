#include "device/host.h"

#include <array>
#include <atomic>
#include <cstdio>

#include "core/env.h"

namespace addax {
namespace {

void serial_for(int64_t count, void (*body)(void* context, int64_t index), void* context) {
  for (int64_t index = 0; index < count; ++index) body(context, index);
}

constexpr HostServices kSerial = {
    .parallel_for = serial_for,
    .num_threads = [] { return int32_t{1}; },
    .trace_enabled = [] { return int32_t{0}; },
    .trace_span = [](const char*, const char*, uint64_t, uint64_t, double, double) {}};

std::atomic<const HostServices*> installed{&kSerial};

const HostServices& services() { return *installed.load(std::memory_order_acquire); }

void log(adx_log_level level, const char* text) {
  if (text == nullptr) return;
  if (level == ADX_LOG_WARNING || env::log_enabled("kernels")) env::log("device", text);
}

// Plug-ins keep these addresses, so they lead to whatever is installed at the time of the call.
constexpr adx_host kTable = {
    .struct_size = sizeof(adx_host),
    .abi_version = ADX_ABI_VERSION,
    .log = log,
    .parallel_for = [](int64_t count, void (*body)(void* context, int64_t index),
                       void* context) { services().parallel_for(count, body, context); },
    .num_threads = [] { return services().num_threads(); },
    .cache_get = nullptr,
    .cache_put = nullptr,
    .trace_enabled = [] { return services().trace_enabled(); },
    .trace_span =
        [](const char* op, const char* label, uint64_t begin_ns, uint64_t end_ns, double flops,
           double bytes) { services().trace_span(op, label, begin_ns, end_ns, flops, bytes); }};

}  // namespace

void install_host_services(const HostServices& services) {
  installed.store(&services, std::memory_order_release);
}

const adx_host& host_table() { return kTable; }

}  // namespace addax
