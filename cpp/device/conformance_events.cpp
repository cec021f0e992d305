#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "device/conformance.h"
#include "device/event.h"

namespace addax {
namespace {

using namespace conformance;
using std::chrono::steady_clock;

// Copies that take a while, the last of which is told from those before it.
class LongWork {
 public:
  explicit LongWork(Device& device)
      : device_(device),
        first_(pattern(size(device), 8)),
        last_(pattern(first_.size(), 9)),
        buffer_(device.alloc(first_.size())) {}

  void enqueue(const QueueLease& queue) {
    constexpr int kTimes = 7;
    for (int i = 0; i < kTimes; ++i) {
      enqueue_copy(device_, queue, at(first_), at(buffer_), first_.size());
    }
    enqueue_copy(device_, queue, at(last_), at(buffer_), last_.size());
  }
  const Buffer& buffer() const { return buffer_; }
  const Bytes& result() const { return last_; }

 private:
  static size_t size(Device& device) {
    constexpr uint64_t kMuch = uint64_t{16} << 20;
    const uint64_t largest = device.properties().largest_allocation;
    return largest == 0 ? kMuch : std::min(kMuch, largest / 8);
  }

  Device& device_;
  Bytes first_, last_;
  Buffer buffer_;
};

void check_events(Device& device) {
  const QueueLease first = device.queue();
  const QueueLease second = device.queue();
  Event event(device);
  if (!event.has_happened()) fail("an event that was never recorded has not happened");
  LongWork work(device);
  Bytes back(work.result().size());
  work.enqueue(first);
  event.record(first);
  event.wait(second);
  enqueue_copy(device, second, at(work.buffer()), at(back), back.size());
  second.synchronize();
  const bool has_happened = event.has_happened();
  first.synchronize();
  if (!has_happened) fail("an event has not happened although work behind it is done");
  expect(back, work.result(), "a copy that waited for another queue");
}

// An event is recorded a second time, behind work that takes a while; meanwhile it has not
// happened.
void check_query(Device& device) {
  LongWork work(device);
  Bytes back(work.result().size());
  const QueueLease queue = device.queue();
  Event before(device), after(device);
  after.record(queue);
  queue.synchronize();
  const auto begin = steady_clock::now();
  before.record(queue);
  work.enqueue(queue);
  enqueue_copy(device, queue, at(work.buffer()), at(back), back.size());
  after.record(queue);
  while (!after.has_happened()) std::this_thread::yield();
  const bool is_done = back == work.result();
  queue.synchronize();
  const std::chrono::duration<double, std::micro> time = steady_clock::now() - begin;
  if (!is_done) fail("an event has happened while work before it was still under way");
  const double elapsed = after.elapsed_us(before);
  constexpr double kClocks = 1e4;  // how far those of device and host may lie apart
  if (!(elapsed <= time.count() + kClocks)) {
    fail("the time between two events is " + std::to_string(elapsed) + " us, in " +
         std::to_string(time.count()) + " us of the host's clock");
  }
}

constexpr DeviceCheck kChecks[] = {{"events", check_events}, {"an event's time", check_query}};

}  // namespace

std::span<const DeviceCheck> event_checks() { return kChecks; }

}  // namespace addax
