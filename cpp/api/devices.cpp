#include "api/devices.h"

#include <atomic>
#include <mutex>

#include "core/env.h"
#include "core/error.h"

namespace addax {
namespace {

struct FirstUse {
  std::mutex mutex;
  void (*hook)() = nullptr;
  std::atomic<bool> done{false};
};

struct Default {
  std::mutex mutex;
  Device& (*find)(const std::string& name) = [](const std::string& name) -> Device& {
    return device_registry().get(name);
  };
  std::atomic<bool> settled{false};
};

FirstUse& first_use() {
  static FirstUse state;
  return state;
}

Default& default_state() {
  static Default state;
  return state;
}

// Null when ADDAX_DEVICE names none.
Device* device_of_environment() {
  const std::optional<std::string> name = env::get("ADDAX_DEVICE");
  if (!name || *name == "auto") return nullptr;
  try {
    return &default_state().find(*name);
  } catch (const InvalidArgumentError& error) {
    throw InvalidArgumentError("ADDAX_DEVICE=" + *name + ": " + error.what());
  }
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

void find_devices_by(Device& (*find)(const std::string& name)) { default_state().find = find; }

Device& default_device() {
  Default& state = default_state();
  DeviceRegistry& registry = device_registry();
  if (!state.settled.load(std::memory_order_acquire)) {
    Device* const asked = device_of_environment();
    const std::lock_guard lock(state.mutex);
    if (asked != nullptr && !state.settled.load(std::memory_order_relaxed)) {
      registry.set_default_device(*asked);
    }
    state.settled.store(true, std::memory_order_release);
  }
  return registry.default_device();
}

void set_default_device(Device& device) {
  Default& state = default_state();
  const std::lock_guard lock(state.mutex);
  device_registry().set_default_device(device);
  state.settled.store(true, std::memory_order_release);
}

}  // namespace addax
