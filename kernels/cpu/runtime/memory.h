#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "addax/device.h"

namespace addax::cpu {

// A block of memory aligned to 64 bytes, from 2 MiB on to 2 MiB with huge pages asked for.
class AlignedMemory {
 public:
  AlignedMemory() = default;
  // Throws OutOfMemoryError with the size when the block cannot be had.
  explicit AlignedMemory(uint64_t bytes);

  std::byte* data() const { return data_.get(); }
  uint64_t size() const { return size_; }

 private:
  struct Release {
    void operator()(std::byte* data) const;
  };
  std::unique_ptr<std::byte, Release> data_;
  uint64_t size_ = 0;
};

// Physical memory that this process may use, in bytes: the machine's, or its control group's limit.
uint64_t total_memory();
// What of it is free now; 0 when the system does not tell.
uint64_t available_memory();

}  // namespace addax::cpu

// A block of its own, or a window on the caller's memory.
struct adx_buffer {
  explicit adx_buffer(uint64_t size) : owned(size), data(owned.data()), bytes(size) {}
  adx_buffer(void* host, uint64_t size) : data(static_cast<std::byte*>(host)), bytes(size) {}

  void* map() { return data; }

  addax::cpu::AlignedMemory owned;
  std::byte* data;
  uint64_t bytes;
};
