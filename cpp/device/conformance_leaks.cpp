#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "device/conformance.h"
#include "device/conformance_graph.h"
#include "device/event.h"
#include "device/status.h"

namespace addax {
namespace {

using namespace conformance;

// What the process has from malloc, and what the device has given away, where these can be told.
struct Memory {
  int64_t of_host = 0;
  int64_t of_device = 0;

  explicit Memory(Device& device) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    const struct mallinfo2 info = mallinfo2();
    of_host = static_cast<int64_t>(info.uordblks + info.hblkhd);
#endif
    of_device = -static_cast<int64_t>(device.free_memory());
  }
};

// Does `cycle` again and again, in several rounds. What is lost each time grows by as much in each
// round; caches that fill and other threads do not.
void expect_no_leak(Device& device, const std::string& what, const std::function<void()>& cycle) {
  constexpr int kRounds = 4, kCycles = 64;
  constexpr int64_t kLeast = 16 * kCycles;  // no piece of memory is smaller
  int64_t of_host = std::numeric_limits<int64_t>::max(), of_device = of_host;
  for (int i = 0; i < kCycles; ++i) cycle();
  for (int round = 0; round < kRounds; ++round) {
    const Memory before(device);
    for (int i = 0; i < kCycles; ++i) cycle();
    const Memory after(device);
    of_host = std::min(of_host, after.of_host - before.of_host);
    of_device = std::min(of_device, after.of_device - before.of_device);
  }
  const auto report = [&](int64_t lost, const std::string& whose) {
    if (lost < kLeast) return;
    fail(what + " loses " + std::to_string(lost / kCycles) + " bytes of " + whose +
         " memory each time");
  };
  report(of_device, "the device's");
  report(of_host, "the host's");
}

void check_buffers(Device& device) {
  constexpr uint64_t kBytes = 1000;
  expect_no_leak(device, "to allocate and free", [&] {
    Status status;
    const adx_device_api& api = device.api();
    adx_buffer* const buffer = api.alloc(device.handle(), kBytes, status.get());
    api.free(device.handle(), status.made(buffer, "alloc", device.name()));
  });
}

void check_copies(Device& device) {
  Bytes host = pattern(1000, 1);
  const Buffer buffer = upload(device, host);
  expect_no_leak(device, "to copy and fill", [&] {
    device.copy_from_host(host.data(), buffer, host.size());
    device.copy_to_host(buffer, host.data(), host.size());
    device.fill(buffer, 1, host.size());
  });
}

void check_queues(Device& device) {
  expect_no_leak(device, "to make and end a queue", [&] {
    Status status;
    const adx_device_api& api = device.api();
    adx_queue* const queue = api.queue_create(device.handle(), status.get());
    api.queue_destroy(device.handle(), status.made(queue, "queue_create", device.name()));
  });
}

void check_events(Device& device) {
  const QueueLease queue = device.queue();
  expect_no_leak(device, "to make, record and end an event", [&] {
    Event event(device);
    event.record(queue);
    queue.synchronize();
  });
}

constexpr int64_t kExtent = 64;

Program compile_sum(Device& device) {
  Graph graph;
  const int32_t x = graph.tensor(ADX_FLOAT32, {kExtent}, {ADX_STORAGE_BINDING, 0, 0});
  const int32_t y = graph.tensor(ADX_FLOAT32, {kExtent}, {ADX_STORAGE_BINDING, 1, 0});
  graph.node("add", {x, graph.constant(std::vector<float>(kExtent, 1.0f))}, y);
  return graph.compile_supported(device);
}

void check_programs(Device& device) {
  expect_no_leak(device, "to compile and end a program", [&] { compile_sum(device); });
}

void check_runs(Device& device) {
  Program program = compile_sum(device);
  const QueueLease queue = device.queue();
  const Buffer x = upload(device, Bytes(kExtent * sizeof(float)));
  const Buffer y = upload(device, Bytes(kExtent * sizeof(float)));
  const auto binding = [](adx_buffer* buffer) {
    return adx_binding{sizeof(adx_binding), buffer, 0};
  };
  expect_no_leak(device, "to run a program", [&] {
    program.run(queue, {binding(nullptr), binding(x.handle()), binding(y.handle())}, 1);
  });
}

constexpr DeviceCheck kChecks[] = {
    {"buffers leave nothing", check_buffers},   {"copies leave nothing", check_copies},
    {"queues leave nothing", check_queues},     {"events leave nothing", check_events},
    {"programs leave nothing", check_programs}, {"runs leave nothing", check_runs}};

}  // namespace

std::span<const DeviceCheck> leak_checks() { return kChecks; }

}  // namespace addax
