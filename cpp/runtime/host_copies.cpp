#include "runtime/host_copies.h"

#include <chrono>

#include "device/status.h"
#include "runtime/profiler.h"

namespace addax {
namespace {

uint64_t now_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

adx_location at(adx_buffer* buffer, void* host) { return {sizeof(adx_location), buffer, host, 0}; }

}  // namespace

HostCopies::HostCopies(Device& device, const QueueLease& compute)
    : device_(device),
      compute_(compute),
      queue_(device.queue()),
      computed_(device),
      copied_(device) {}

void HostCopies::after_compute() {
  if (Profiler::instance().is_recording()) compute_.synchronize();
  computed_.record(compute_);
  computed_.wait(queue_);
}

void HostCopies::before_compute() {
  copied_.record(queue_);
  copied_.wait(compute_);
}

void HostCopies::to_host(adx_buffer* from, const Buffer& to, uint64_t bytes) {
  copy("copy_to_host", at(from, nullptr), at(nullptr, to.host()), bytes);
}

void HostCopies::to_device(const Buffer& from, adx_buffer* to, uint64_t bytes) {
  copy("copy_from_host", at(nullptr, from.host()), at(to, nullptr), bytes);
}

void HostCopies::copy(const char* op, const adx_location& from, const adx_location& to,
                      uint64_t bytes) {
  if (bytes == 0) return;
  const bool traced = Profiler::instance().is_recording();
  const uint64_t begin = traced ? now_ns() : 0;
  Status status;
  device_.api().copy(device_.handle(), queue_.get(), &from, &to, bytes, status.get());
  status.check(device_.name());
  if (!traced) return;
  queue_.synchronize();
  Profiler::instance().record({.op = op,
                               .label = device_.name(),
                               .begin_ns = begin,
                               .end_ns = now_ns(),
                               .flops = 0,
                               .bytes = static_cast<double>(bytes)});
}

}  // namespace addax
