#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "addax/device.h"
#include "device/allocator.h"
#include "device/buffer.h"

namespace addax {

// A borrowed queue; goes back to its device when it leaves scope. Whoever borrows it leaves it
// synchronised.
class QueueLease {
 public:
  QueueLease(QueueLease&& other) noexcept;
  QueueLease& operator=(QueueLease&& other) noexcept;
  ~QueueLease();

  adx_queue* get() const { return queue_; }
  // Waits for everything in the queue; free on a synchronous device.
  void synchronize() const;

 private:
  friend class Device;
  QueueLease(Device& device, adx_queue* queue) : device_(&device), queue_(queue) {}

  Device* device_;
  adx_queue* queue_;
};

// One device behind the C ABI. Lives for ever once loaded; thread-safe. Transfers have finished
// when they return. Offsets and sizes are bytes; reaching outside of a buffer throws
// InvalidArgumentError. Failures of the device are thrown as the typed error of their code.
class Device {
 public:
  // `name` is "cpu:0". Throws what the device reports when asked for its properties, and
  // DeviceError where these cannot be.
  Device(std::string name, const adx_device_api& api, adx_device* handle);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const std::string& name() const { return name_; }
  const adx_properties& properties() const { return properties_; }
  bool has_unified_memory() const { return (properties_.flags & ADX_UNIFIED_MEMORY) != 0; }
  bool is_asynchronous() const { return (properties_.flags & ADX_ASYNCHRONOUS) != 0; }

  Buffer alloc(uint64_t bytes) { return allocator_.alloc(bytes); }
  // A buffer over memory of the host, which `owner` keeps alive; no copy. Only where `can_wrap()`,
  // else UnsupportedError.
  bool can_wrap() const { return api_.wrap != nullptr && has_unified_memory(); }
  Buffer wrap(void* host, uint64_t bytes, std::shared_ptr<void> owner) {
    return allocator_.wrap(host, bytes, std::move(owner));
  }
  // Host address of a buffer, valid as long as the buffer; UnsupportedError where there is none.
  void* map(const Buffer& buffer);

  void copy_from_host(const void* from, const Buffer& to, uint64_t bytes, uint64_t to_offset = 0);
  void copy_to_host(const Buffer& from, void* to, uint64_t bytes, uint64_t from_offset = 0);
  void fill(const Buffer& to, uint8_t value, uint64_t bytes, uint64_t to_offset = 0);

  CachingAllocator& allocator() { return allocator_; }
  uint64_t free_memory();  // 0 when unknown
  QueueLease queue();

  // DeviceError in a process that was forked from the one that loaded an asynchronous device:
  // threads and queues stay behind, and who waits for them waits for ever.
  void check_process() const;

  const adx_device_api& api() const { return api_; }
  adx_device* handle() const { return handle_; }

 private:
  friend class QueueLease;
  friend void copy(const Buffer& from, uint64_t from_offset, const Buffer& to, uint64_t to_offset,
                   uint64_t bytes);
  void read_properties();
  void transfer(const adx_location& from, const adx_location& to, uint64_t bytes);

  std::string name_;
  adx_device_api api_;
  adx_device* handle_;
  adx_properties properties_;
  int process_;  // that loaded the device
  CachingAllocator allocator_;
  std::mutex queues_mutex_;
  std::vector<adx_queue*> idle_queues_;
};

// Copies between buffers of the same or of two devices (through the host where the devices differ).
void copy(const Buffer& from, uint64_t from_offset, const Buffer& to, uint64_t to_offset,
          uint64_t bytes);

}  // namespace addax
