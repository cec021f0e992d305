#include "device/event.h"

#include "device/status.h"

namespace addax {

Event::Event(Device& device) : device_(device) {
  if (device.api().event_create == nullptr) return;
  Status status;
  event_ = status.made(device.api().event_create(device.handle(), status.get()), "event_create",
                       device.name());
}

Event::~Event() {
  if (event_ != nullptr) device_.api().event_destroy(device_.handle(), event_);
}

void Event::record(const QueueLease& queue) {
  if (event_ == nullptr) return queue.synchronize();
  Status status;
  device_.api().event_record(device_.handle(), queue.get(), event_, status.get());
  status.check(device_.name());
}

void Event::wait(const QueueLease& queue) {
  if (event_ == nullptr) return;
  Status status;
  device_.api().event_wait(device_.handle(), queue.get(), event_, status.get());
  status.check(device_.name());
}

bool Event::has_happened() const {
  return event_ == nullptr || device_.api().event_query(device_.handle(), event_) != 0;
}

double Event::elapsed_us(const Event& earlier) const {
  constexpr double kUnknown = -1;
  if (event_ == nullptr || earlier.event_ == nullptr) return kUnknown;
  return device_.api().event_elapsed_us(device_.handle(), earlier.event_, event_);
}

}  // namespace addax
