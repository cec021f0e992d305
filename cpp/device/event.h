#pragma once

#include "device/device.h"

namespace addax {

// A point in the work of a queue that other queues and the host can wait for. On a device without
// events recording synchronises the queue, so that there is nothing left to wait for. For one
// thread at a time; the device's work must not refer to it any more when it ends.
class Event {
 public:
  explicit Event(Device& device);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(const QueueLease& queue);
  // Work that is put into `queue` from now on waits.
  void wait(const QueueLease& queue);
  // Whether the work before it is done.
  bool has_happened() const;
  // Microseconds since `earlier`; both have happened. Negative when unknown.
  double elapsed_us(const Event& earlier) const;

 private:
  Device& device_;
  adx_event* event_ = nullptr;  // null on a device without events
};

}  // namespace addax
