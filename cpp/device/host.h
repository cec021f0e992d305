#pragma once

#include <cstdint>

#include "addax/device.h"

namespace addax {

// The services that plug-ins get. They may be installed before or after plug-ins are loaded; until
// then work runs serially and nothing is traced.
struct HostServices {
  void (*parallel_for)(int64_t count, void (*body)(void* context, int64_t index), void* context);
  int32_t (*num_threads)();
  int32_t (*trace_enabled)();
  void (*trace_span)(const char* op, const char* label, uint64_t begin_ns, uint64_t end_ns,
                     double flops, double bytes);
};

// `services` must live for ever.
void install_host_services(const HostServices& services);

// The table handed to every plug-in.
const adx_host& host_table();

}  // namespace addax
