#pragma once

#include <cstdint>

#include "device/event.h"

namespace addax {

// Copies between a device and memory of the host, on a queue of their own beside the one that
// computes: they overlap with what runs there, where the device is asynchronous. If its `run` waits
// for the kernels, as it may, copies overlap with the next segment on the device, but the host does
// not compute meanwhile. Where a profile is recorded, each copy is waited for and becomes a span.
class HostCopies {
 public:
  HostCopies(Device& device, const QueueLease& compute);

  // The copies that follow wait for the work that the device has by now.
  void after_compute();
  // The device's work that follows waits for the copies so far.
  void before_compute();
  void to_host(adx_buffer* from, const Buffer& to, uint64_t bytes);
  void to_device(const Buffer& from, adx_buffer* to, uint64_t bytes);
  // Waits for the copies so far.
  void synchronize() const { queue_.synchronize(); }

 private:
  void copy(const char* op, const adx_location& from, const adx_location& to, uint64_t bytes);

  Device& device_;
  const QueueLease& compute_;
  const QueueLease queue_;
  Event computed_;
  Event copied_;
};

}  // namespace addax
