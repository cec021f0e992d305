#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "device/device.h"

namespace addax {

// One thing that the ABI promises. `check` throws an Error that says what is not so, and
// UnsupportedError where the device refuses the ops that it takes.
struct DeviceCheck {
  const char* name;
  void (*check)(Device& device);
};

// Of properties, memory, copies and queues.
std::span<const DeviceCheck> memory_checks();
std::span<const DeviceCheck> event_checks();
// Of programs, whose graphs are as a host of a later version hands them over.
std::span<const DeviceCheck> program_checks();
// That what is made and ended leaves no memory behind.
std::span<const DeviceCheck> leak_checks();
// All of them.
std::vector<DeviceCheck> device_checks();

namespace conformance {

using Bytes = std::vector<uint8_t>;

[[noreturn]] void fail(const std::string& what);

// Bytes that differ from place to place and from seed to seed.
Bytes pattern(size_t size, size_t seed);
Buffer upload(Device& device, const Bytes& bytes);
Bytes download(Device& device, const Buffer& buffer, size_t bytes, uint64_t offset = 0);
void expect(const Bytes& got, const Bytes& wanted, const std::string& where);

adx_location at(const Buffer& buffer, uint64_t offset = 0);
adx_location at(Bytes& host, uint64_t offset = 0);
// Into the queue, without waiting for it.
void enqueue_copy(Device& device, const QueueLease& queue, const adx_location& from,
                  const adx_location& to, uint64_t bytes);

// Calls `work` for 0 and 1 in two threads at a time; what they throw comes out of it.
void in_two_threads(const std::function<void(size_t)>& work);

}  // namespace conformance
}  // namespace addax
