#include "runtime/placed_run.h"

#include <algorithm>

#include "core/error.h"

namespace addax {
namespace {

uint64_t largest_arena(const PlacedSegments& placed, bool on_host) {
  uint64_t bytes = 0;
  for (const PlacedSegment& segment : placed.segments) {
    if (segment.on_host == on_host) bytes = std::max(bytes, segment.compiled->arena_bytes());
  }
  return bytes;
}

}  // namespace

PlacedRun::PlacedRun(const PlacedSegments& placed, std::span<const adx_binding> bound,
                     Device& device, Device& host)
    : placed_(placed),
      device_lease_(ArenaPool::of(device).borrow(largest_arena(placed, false))),
      host_lease_(ArenaPool::of(host).borrow(largest_arena(placed, true))),
      copies_(device, device_lease_.queue()),
      there_(placed.slots.size(), nullptr),
      here_(placed.slots.size()),
      controls_(placed.segments.size()) {
  for (size_t i = 0; i < placed.slots.size(); ++i) {
    const PlacedSlot& slot = placed.slots[i];
    if (i < bound.size()) {
      there_[i] = bound[i].buffer;
    } else if (slot.on_device) {
      own_.push_back(device.alloc(slot.bytes));
      there_[i] = own_.back().handle();
    }
    if (slot.on_host) here_[i] = host.alloc(slot.bytes);
  }
  for (const PlacedSegment& segment : placed.segments) {
    std::vector<adx_binding>& bindings = bindings_.emplace_back();
    for (const int32_t slot : segment.bindings) {
      const auto at = static_cast<size_t>(slot);
      bindings.push_back(
          {sizeof(adx_binding), segment.on_host ? here_[at].handle() : there_[at], 0});
    }
  }
}

PlacedRun::~PlacedRun() {
  try {
    device_lease_.queue().synchronize();
    copies_.synchronize();
  } catch (const Error&) {
    // What went wrong in the queues has been thrown, or nobody waits for it any more.
  }
}

void PlacedRun::enter() {
  for (size_t i = 0; i < placed_.slots.size(); ++i) {
    const PlacedSlot& slot = placed_.slots[i];
    if (slot.copied_at_entry) copies_.to_host(there_[i], here_[i], slot.bytes);
  }
}

void PlacedRun::step(uint64_t steps_before) {
  for (size_t i = 0; i < placed_.segments.size(); ++i) {
    if (placed_.segments[i].on_host) {
      run_on_host(i, steps_before);
    } else {
      run_on_device(i, steps_before);
    }
  }
  settle_device(steps_before);
  copies_.synchronize();
}

void PlacedRun::leave() {
  started_.clear();
  device_lease_.queue().synchronize();
  for (size_t i = 0; i < placed_.slots.size(); ++i) {
    const PlacedSlot& slot = placed_.slots[i];
    if (slot.copied_at_exit) copies_.to_device(here_[i], there_[i], slot.bytes);
  }
  copies_.synchronize();
}

void PlacedRun::run_on_device(size_t number, uint64_t steps_before) {
  const PlacedSegment& segment = placed_.segments[number];
  if (copying_to_device_) copies_.before_compute();
  copying_to_device_ = false;
  const Ending ending = segment.compiled->start(device_lease_.queue(), device_lease_.arena(),
                                                bindings_[number], 1, controls_[number]);
  started_.push_back({number, ending});
  if (segment.checks_values) settle_device(steps_before);
  if (segment.copied.empty()) return;
  copies_.after_compute();
  for (const int32_t slot : segment.copied) {
    const auto at = static_cast<size_t>(slot);
    copies_.to_host(there_[at], here_[at], placed_.slots[at].bytes);
  }
}

void PlacedRun::run_on_host(size_t number, uint64_t steps_before) {
  const PlacedSegment& segment = placed_.segments[number];
  copies_.synchronize();
  const Ending ending = segment.compiled->start(host_lease_.queue(), host_lease_.arena(),
                                                bindings_[number], 1, controls_[number]);
  host_lease_.queue().synchronize();
  settle({number, ending}, steps_before);
  if (segment.copied.empty()) return;
  if (segment.overwrites_states) copies_.after_compute();
  for (const int32_t slot : segment.copied) {
    const auto at = static_cast<size_t>(slot);
    copies_.to_device(here_[at], there_[at], placed_.slots[at].bytes);
  }
  copying_to_device_ = true;
}

void PlacedRun::settle(const Started& started, uint64_t steps_before) const {
  const PlacedSegment& segment = placed_.segments[started.segment];
  if (segment.compiled->settle(controls_[started.segment], started.ending, 1, steps_before) == 1) {
    return;
  }
  throw InterruptedError("[" + segment.compiled->device().name() + "] interrupted within a step");
}

void PlacedRun::settle_device(uint64_t steps_before) {
  device_lease_.queue().synchronize();
  for (const Started& started : started_) settle(started, steps_before);
  started_.clear();
}

}  // namespace addax
