#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "addax/device.h"
#include "opencl/driver/handle.h"
#include "opencl/limits.h"
#include "opencl/runtime/binary_cache.h"
#include "opencl/tuning/tile_cache.h"

namespace addax::opencl {

// One OpenCL device with a context of its own.
class Device {
 public:
  // `host` outlives it.
  Device(cl_device_id id, const adx_host& host);

  cl_context context() const { return context_.get(); }
  const Limits& limits() const { return limits_; }
  KernelLimits kernel_limits(cl_kernel kernel) const;
  std::string name() const;
  TileCache& tiles() { return tiles_; }
  void describe(adx_properties& out) const;

  Memory allocate(uint64_t bytes) const;
  // Memory that kernels only read, with this content; at least one byte.
  Memory constants(const std::vector<std::byte>& content) const;
  // In order; its events know their times.
  Queue make_queue() const;
  // A kernel out of a program's text, which is compiled when it is met for the first time.
  Kernel kernel(const std::string& source, const std::string& name);

 private:
  ClProgram program(const std::string& source) const;
  // Out of the cache; null when it has no entry that the driver takes.
  ClProgram cached(const std::string& key) const;
  void keep(const std::string& key, const ClProgram& program) const;
  cl_int build(const ClProgram& program) const;

  cl_device_id id_;
  const adx_host& host_;
  Limits limits_;
  std::string options_;
  Context context_;
  BinaryCache cache_;
  TileCache tiles_;
  std::mutex mutex_;
  std::map<std::string, ClProgram, std::less<>> programs_;  // by their text
};

// The devices of all platforms, GPUs first. Throws plugin::Failure when there are none.
std::vector<cl_device_id> find_devices();

}  // namespace addax::opencl
