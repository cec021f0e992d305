#include "opencl/driver/exit.h"

#include <atomic>
#include <cstdlib>

namespace addax::opencl {
namespace {

std::atomic<bool> exiting = false;

}  // namespace

void watch_for_exit() {
  static const bool watches = std::atexit([] { exiting = true; }) == 0;
  static_cast<void>(watches);
}

bool is_exiting() { return exiting; }

}  // namespace addax::opencl
