#include "api/devices.h"

#include <atomic>
#include <mutex>

namespace addax {
namespace {

struct FirstUse {
  std::mutex mutex;
  void (*hook)() = nullptr;
  std::atomic<bool> done{false};
};

FirstUse& first_use() {
  static FirstUse state;
  return state;
}

}  // namespace

void on_first_device_use(void (*hook)()) {
  FirstUse& state = first_use();
  state.hook = hook;
  state.done = false;
}

DeviceRegistry& device_registry() {
  FirstUse& state = first_use();
  if (!state.done.load(std::memory_order_acquire)) {
    const std::lock_guard lock(state.mutex);
    if (!state.done.load(std::memory_order_relaxed)) {
      if (state.hook != nullptr) state.hook();
      state.done.store(true, std::memory_order_release);
    }
  }
  return DeviceRegistry::instance();
}

}  // namespace addax
