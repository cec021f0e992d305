#include "runtime/host_services.h"

#include <tbb/version.h>

#include <cstdint>

#include "core/error.h"
#include "device/host.h"
#include "runtime/parallel.h"
#include "runtime/profiler.h"

namespace addax {
namespace {

// oneTBB 2021.5: older ones are not known to work.
constexpr int kOldestTbb = 12050;

constexpr HostServices kServices = {
    .parallel_for = parallel_for,
    .num_threads = [] { return static_cast<int32_t>(num_threads()); },
    .trace_enabled = [] { return Profiler::instance().is_recording() ? 1 : 0; },
    .trace_span =
        [](const char* op, const char* label, uint64_t begin_ns, uint64_t end_ns, double flops,
           double bytes) {
          Profiler::instance().record({.op = op,
                                       .label = label,
                                       .begin_ns = begin_ns,
                                       .end_ns = end_ns,
                                       .flops = flops,
                                       .bytes = bytes});
        }};

}  // namespace

void start_runtime() {
  static const bool started = [] {
    if (TBB_runtime_interface_version() < kOldestTbb) {
      throw DeviceError("[runtime] this process has loaded oneTBB " + tbb_version() +
                        ", which is too old; import addax before the package that brings it");
    }
    num_threads();  // reads ADDAX_NUM_THREADS, so that a wrong value is reported here
    install_host_services(kServices);
    return true;
  }();
  static_cast<void>(started);
}

std::string tbb_version() { return TBB_runtime_version(); }

}  // namespace addax
