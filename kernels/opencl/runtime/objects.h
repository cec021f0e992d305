// What the host's opaque handles of this device are, and the device's functions for memory and
// queues.
#pragma once

#include "opencl/device.h"

struct adx_buffer {
  addax::opencl::Memory memory;
  uint64_t bytes;
  uint64_t serial;  // counted from 1, never again that of another
};

struct adx_queue {
  addax::opencl::Queue queue;
};

namespace addax::opencl {

adx_buffer* buffer_alloc(adx_device* device, uint64_t bytes, adx_status* status);
void buffer_free(adx_device* device, adx_buffer* buffer);

adx_queue* queue_create(adx_device* device, adx_status* status);
void queue_destroy(adx_device* device, adx_queue* queue);
void queue_synchronize(adx_device* device, adx_queue* queue, adx_status* status);
void queue_copy(adx_device* device, adx_queue* queue, const adx_location* from,
                const adx_location* to, uint64_t bytes, adx_status* status);
void queue_fill(adx_device* device, adx_queue* queue, const adx_location* to, uint8_t value,
                uint64_t bytes, adx_status* status);

}  // namespace addax::opencl
