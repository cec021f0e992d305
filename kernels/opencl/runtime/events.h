// The device's functions for events.
#pragma once

#include "opencl/device.h"

// A marker in a queue, behind the work that was there when it was recorded last.
struct adx_event {
  addax::opencl::Event marker;  // null: never recorded
};

namespace addax::opencl {

adx_event* event_create(adx_device* device, adx_status* status);
void event_destroy(adx_device* device, adx_event* event);
void event_record(adx_device* device, adx_queue* queue, adx_event* event, adx_status* status);
void event_wait(adx_device* device, adx_queue* queue, adx_event* event, adx_status* status);
int32_t event_query(adx_device* device, adx_event* event);
double event_elapsed_us(adx_device* device, adx_event* from, adx_event* to);

}  // namespace addax::opencl
