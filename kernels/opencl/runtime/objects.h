// What the host's opaque handles of this device are.
#pragma once

#include "addax/device.h"
#include "opencl/driver/handle.h"

struct adx_buffer {
  adx_buffer(addax::opencl::Memory content, uint64_t size);

  addax::opencl::Memory memory;
  uint64_t bytes;
  uint64_t serial;  // counted from 1, never again that of another
};

// A marker in a queue, behind the work that was there when it was recorded last.
struct adx_event {
  bool has_happened() const;
  double elapsed_us(const adx_event& from) const;

  addax::opencl::Event marker;  // null: never recorded
};

struct adx_queue {
  void synchronize() const;
  void copy(const adx_location& from, const adx_location& to, uint64_t bytes) const;
  void fill(const adx_location& to, uint8_t value, uint64_t bytes) const;
  void record(adx_event& event) const;
  void wait(const adx_event& event) const;

  addax::opencl::Queue commands;
};
