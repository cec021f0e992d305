#include "api/devices.h"

#include <pybind11/stl.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "api/eager.h"
#include "bind/bindings.h"
#include "bind/convert.h"
#include "bind/gil.h"
#include "bind/types.h"
#include "core/error.h"
#include "cpu/plugin.h"
#include "device/conformance.h"
#include "runtime/fallback_report.h"
#include "runtime/host_services.h"
#include "runtime/parallel.h"

namespace addax::bind {
namespace {

void start_devices() {
  start_runtime();
  static const bool registered = [] {
    DeviceRegistry::instance().register_builtin(&adx_cpu_plugin);
    return true;
  }();
  static_cast<void>(registered);
}

using Counters = py::typing::Dict<py::str, py::int_>;

// Of a string, bytes or an object with __fspath__.
std::filesystem::path path_of(const py::object& path) {
  const std::string bytes = py::module_::import("os").attr("fsencode")(path).cast<py::bytes>();
  if (bytes.find('\0') != std::string::npos) {
    throw InvalidArgumentError("[load_device] the path of a plug-in must not hold a zero byte");
  }
  return bytes;
}

py::typing::List<py::str> dtype_names(uint32_t mask) {
  py::typing::List<py::str> names;
  for (int code = 0; code < kNumDTypes; ++code) {
    if ((mask & (1U << static_cast<unsigned>(code))) != 0) {
      names.append(std::string(name(static_cast<DType>(code))));
    }
  }
  return names;
}

Record record_of(Device& device) {
  const adx_properties& properties = device.properties();
  Record record;
  record["name"] = device.name();
  record["kind"] = text_to_python(properties.kind);
  record["description"] = text_to_python(properties.name);
  record["vendor"] = text_to_python(properties.vendor);
  record["details"] = text_to_python(properties.details);
  record["score"] = properties.score;
  record["units"] = properties.units;
  record["memory"] = properties.total_memory;
  record["unified_memory"] = device.has_unified_memory();
  record["dtypes"] = dtype_names(properties.compute_dtypes);
  record["fast_dtypes"] = dtype_names(properties.fast_dtypes);
  return record;
}

Counters memory_info(const py::object& device) {
  Device& chosen = device_from_python(device);
  const MemoryInfo info = chosen.allocator().info();
  Counters result;
  result["bytes_in_use"] = info.bytes_in_use;
  result["bytes_cached"] = info.bytes_cached;
  result["peak_bytes_in_use"] = info.peak_bytes_in_use;
  result["bytes_free"] = chosen.free_memory();
  return result;
}

uint64_t trim_memory() {
  uint64_t bytes = 0;
  for (Device* device : device_registry().devices()) bytes += device->allocator().trim();
  return bytes;
}

Counters program_cache_info() {
  const ProgramCacheInfo info = program_cache().info();
  Counters result;
  result["size"] = info.size;
  result["capacity"] = info.capacity;
  result["hits"] = info.hits;
  result["misses"] = info.misses;
  return result;
}

void set_program_cache_capacity(int64_t capacity) {
  if (capacity < 0) {
    throw InvalidArgumentError("[set_program_cache_capacity] must not be negative, got " +
                               std::to_string(capacity));
  }
  program_cache().set_capacity(static_cast<size_t>(capacity));
}

void warn(const std::string& text) {
  const GilAcquire acquire;
  if (PyErr_WarnEx(PyExc_UserWarning, text.c_str(), 1) != 0) throw py::error_already_set();
}

}  // namespace

void bind_devices(py::module_& module) {
  on_first_device_use(&start_devices);
  find_devices_by([](const std::string& name) -> Device& {
    const GilAcquire acquire;
    return device_named(name);
  });
  set_warning_receiver(&warn);

  module.def(
      "devices",
      [] {
        Records records;
        for (Device* device : device_registry().devices()) records.append(record_of(*device));
        return records;
      },
      "All devices, as dictionaries: name, kind, description, vendor, details, score, memory...");
  module.def(
      "device_failures",
      [] {
        std::vector<std::pair<py::str, py::str>> failures;
        for (const DeviceFailure& failure : device_registry().failures()) {
          failures.emplace_back(text_to_python(failure.path), text_to_python(failure.reason));
        }
        return failures;
      },
      "Plug-ins that could not be loaded: pairs of path and reason.");
  module.def(
      "add_device_failure",
      [](const std::string& path, const std::string& reason) {
        device_registry().add_failure({path, reason});
      },
      py::arg("path"), py::arg("reason"), "Records a plug-in that could not be found.");
  module.def(
      "load_device",
      [](const py::object& path) {
        std::vector<std::string> names;
        for (Device* device : device_registry().load_plugin(path_of(path)))
          names.push_back(device->name());
        return names;
      },
      py::arg("path"), "Loads a plug-in now and returns the names of its devices.");
  module.def(
      "device_checks",
      [] {
        std::vector<std::string> names;
        for (const DeviceCheck& check : device_checks()) names.emplace_back(check.name);
        return names;
      },
      "Names of the checks of memory, queues, events and programs, for `check_device`.");
  module.def(
      "check_device",
      [](const std::string& name, size_t number) {
        Device& device = device_named(name);
        const GilRelease release;
        device_checks().at(number).check(device);
        device.allocator().trim();
      },
      py::arg("name"), py::arg("number"), "Makes a check of a device; raises what is wrong.");
  module.def(
      "add_device_path",
      [](const py::object& path) { device_registry().add_search_path(path_of(path)); },
      py::arg("path"), "A plug-in, or a folder of them, to load when devices are looked for.");
  module.def(
      "current_device", [] { return default_device().name(); },
      "Name of the device that new tensors go to.");
  module.def(
      "set_default_device", [](const std::string& name) { set_default_device(device_named(name)); },
      py::arg("name"), "Chooses the device that new tensors go to.");
  module.def(
      "resolve_device", [](const std::string& name) { return device_named(name).name(); },
      py::arg("name"), "Full name of a device or alias.");
  module.def(
      "has_unified_memory",
      [](const std::string& name) { return device_named(name).has_unified_memory(); },
      py::arg("name"), "Whether a device works in the host's memory.");
  module.def(
      "fast_dtypes",
      [](const std::string& name) {
        return dtype_names(device_named(name).properties().fast_dtypes);
      },
      py::arg("name"), "The dtypes in which a device is faster than in wider ones.");
  module.def("num_threads", &num_threads, "Threads that work on one region.");
  module.def("set_num_threads", &set_num_threads, py::arg("n"), py::call_guard<GilRelease>(),
             "Sets the number of threads.");
  module.def("memory_info", &memory_info, py::arg("device") = py::none(),
             "Bytes in use, cached for reuse, in use at most so far, and still free (0: unknown).");
  module.def("trim_memory", &trim_memory,
             "Gives cached memory back to the devices; returns the bytes.");
  module.def("program_cache_info", &program_cache_info,
             "Size, capacity, hits and misses of the cache of compiled eager calls.");
  module.def("set_program_cache_capacity", &set_program_cache_capacity, py::arg("n"),
             "How many compiled eager calls are kept.");
}

}  // namespace addax::bind
