#pragma once

#include "addax/device.h"

namespace addax::cpu {

// The queue functions of the device's table. A queue is synchronous: everything is done on return.
adx_queue* queue_create(adx_device* device, adx_status* status);
void queue_destroy(adx_device* device, adx_queue* queue);
void queue_synchronize(adx_device* device, adx_queue* queue, adx_status* status);
void queue_copy(adx_device* device, adx_queue* queue, const adx_location* from,
                const adx_location* to, uint64_t bytes, adx_status* status);
void queue_fill(adx_device* device, adx_queue* queue, const adx_location* to, uint8_t value,
                uint64_t bytes, adx_status* status);

}  // namespace addax::cpu
