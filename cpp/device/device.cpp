#include "device/device.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <span>

#include "core/error.h"
#include "device/status.h"

namespace addax {
namespace {

constexpr uint64_t kLargestAlignment = uint64_t{1} << 20;

adx_location host_location(void* host) {
  adx_location location{};
  location.struct_size = sizeof location;
  location.host = host;
  return location;
}

adx_location location_of(const Buffer& buffer, uint64_t offset) {
  adx_location location{};
  location.struct_size = sizeof location;
  location.buffer = buffer.handle();
  location.offset = offset;
  return location;
}

void check_range(const Buffer& buffer, uint64_t offset, uint64_t bytes) {
  if (!buffer) throw InvalidArgumentError("[copy] the buffer is empty");
  if (offset > buffer.bytes() || bytes > buffer.bytes() - offset) {
    throw InvalidArgumentError("[copy] " + std::to_string(bytes) + " bytes at offset " +
                               std::to_string(offset) + " reach outside of a buffer of " +
                               std::to_string(buffer.bytes()) + " bytes");
  }
}

// Reports have the texts of a device in one line.
bool is_control(char c) { return (c >= 0 && c < ' ') || c == '\x7F'; }

// Waits for the queue also where work was refused: what it took before may use the caller's memory.
void finish(const QueueLease& lease, const Status& status, const std::string& device) {
  try {
    lease.synchronize();
  } catch (const Error&) {
    if (status.ok()) throw;
  }
  status.check(device);
}

}  // namespace

QueueLease::QueueLease(QueueLease&& other) noexcept
    : device_(other.device_), queue_(std::exchange(other.queue_, nullptr)) {}

QueueLease& QueueLease::operator=(QueueLease&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(queue_, other.queue_);
  return *this;
}

QueueLease::~QueueLease() {
  if (queue_ == nullptr) return;
  const std::lock_guard lock(device_->queues_mutex_);
  device_->idle_queues_.push_back(queue_);
}

void QueueLease::synchronize() const {
  if (!device_->is_asynchronous()) return;
  Status status;
  device_->api().queue_synchronize(device_->handle(), queue_, status.get());
  status.check(device_->name());
}

Device::Device(std::string name, const adx_device_api& api, adx_device* handle)
    : name_(std::move(name)),
      api_(api),
      handle_(handle),
      properties_{},
      process_(getpid()),
      allocator_(*this) {
  read_properties();
  for (const std::span<char> text :
       {std::span<char>(properties_.kind), std::span<char>(properties_.name),
        std::span<char>(properties_.vendor), std::span<char>(properties_.details)}) {
    const auto end = std::find(text.begin(), text.end(), '\0');
    if (end == text.end()) {
      throw DeviceError("[" + name_ + "] a text in the device's properties does not end");
    }
    std::replace_if(text.begin(), end, is_control, ' ');
  }
  if (!std::has_single_bit(properties_.alignment) || properties_.alignment > kLargestAlignment) {
    throw DeviceError("[" + name_ + "] the device's alignment must be a power of two up to " +
                      std::to_string(kLargestAlignment) + ", got " +
                      std::to_string(properties_.alignment));
  }
  if (has_unified_memory() && api_.map == nullptr) {
    throw DeviceError("[" + name_ + "] a device with unified memory needs the function 'map'");
  }
}

// The struct lies in more memory than it says, so that a device made for a later version of it that
// writes past its end is found out and breaks nothing.
void Device::read_properties() {
  struct {
    adx_properties properties;
    std::array<char, 4096> beyond;
  } room{};
  room.properties.struct_size = sizeof room.properties;
  Status status;
  api_.properties(handle_, &room.properties, status.get());
  status.check(name_);
  if (std::any_of(room.beyond.begin(), room.beyond.end(), [](char c) { return c != 0; })) {
    throw DeviceError("[" + name_ + "] the device wrote properties past the struct_size of " +
                      std::to_string(sizeof room.properties) + " bytes that it was given");
  }
  properties_ = room.properties;
  properties_.struct_size = sizeof properties_;
}

Device::~Device() {
  for (adx_queue* queue : idle_queues_) api_.queue_destroy(handle_, queue);
}

void* Device::map(const Buffer& buffer) {
  if (buffer.host() != nullptr) return buffer.host();
  if (api_.map == nullptr || (properties_.flags & ADX_OPAQUE_BUFFERS) != 0) {
    throw UnsupportedError("[" + name_ + "] buffers have no address on the host; copy them");
  }
  Status status;
  void* const host = api_.map(handle_, buffer.handle(), status.get());
  return status.made(host, "map", name_);
}

void Device::copy_from_host(const void* from, const Buffer& to, uint64_t bytes,
                            uint64_t to_offset) {
  check_range(to, to_offset, bytes);
  transfer(host_location(const_cast<void*>(from)), location_of(to, to_offset), bytes);
}

void Device::copy_to_host(const Buffer& from, void* to, uint64_t bytes, uint64_t from_offset) {
  check_range(from, from_offset, bytes);
  transfer(location_of(from, from_offset), host_location(to), bytes);
}

void Device::fill(const Buffer& to, uint8_t value, uint64_t bytes, uint64_t to_offset) {
  check_range(to, to_offset, bytes);
  if (bytes == 0) return;
  const QueueLease lease = queue();
  const adx_location location = location_of(to, to_offset);
  Status status;
  api_.fill(handle_, lease.get(), &location, value, bytes, status.get());
  finish(lease, status, name_);
}

void Device::transfer(const adx_location& from, const adx_location& to, uint64_t bytes) {
  if (bytes == 0) return;
  const QueueLease lease = queue();
  Status status;
  api_.copy(handle_, lease.get(), &from, &to, bytes, status.get());
  finish(lease, status, name_);
}

uint64_t Device::free_memory() {
  return api_.free_memory == nullptr ? 0 : api_.free_memory(handle_);
}

void Device::check_process() const {
  if (is_asynchronous() && getpid() != process_) {
    throw DeviceError("[" + name_ +
                      "] the device works in the process that loaded it, not in one forked from "
                      "that; start workers by spawn");
  }
}

QueueLease Device::queue() {
  check_process();
  {
    const std::lock_guard lock(queues_mutex_);
    if (!idle_queues_.empty()) {
      adx_queue* const queue = idle_queues_.back();
      idle_queues_.pop_back();
      return {*this, queue};
    }
  }
  Status status;
  adx_queue* const queue = api_.queue_create(handle_, status.get());
  return {*this, status.made(queue, "queue_create", name_)};
}

void copy(const Buffer& from, uint64_t from_offset, const Buffer& to, uint64_t to_offset,
          uint64_t bytes) {
  check_range(from, from_offset, bytes);
  check_range(to, to_offset, bytes);
  Device& source = from.device();
  Device& target = to.device();
  if (&source == &target) {
    source.transfer(location_of(from, from_offset), location_of(to, to_offset), bytes);
  } else if (from.host() != nullptr) {
    target.copy_from_host(static_cast<const std::byte*>(from.host()) + from_offset, to, bytes,
                          to_offset);
  } else {
    std::vector<std::byte> staging(bytes);
    source.copy_to_host(from, staging.data(), bytes, from_offset);
    target.copy_from_host(staging.data(), to, bytes, to_offset);
  }
}

}  // namespace addax
