#include "device/conformance.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <thread>
#include <utility>

#include "core/error.h"
#include "device/status.h"

namespace addax {
namespace conformance {

void fail(const std::string& what) { throw DeviceError(what); }

Bytes pattern(size_t size, size_t seed) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7 + i / 251 + seed * 31);
  return bytes;
}

Bytes download(Device& device, const Buffer& buffer, size_t bytes, uint64_t offset) {
  Bytes result(bytes);
  device.copy_to_host(buffer, result.data(), bytes, offset);
  return result;
}

Buffer upload(Device& device, const Bytes& bytes) {
  Buffer buffer = device.alloc(bytes.size());
  device.copy_from_host(bytes.data(), buffer, bytes.size());
  return buffer;
}

void expect(const Bytes& got, const Bytes& wanted, const std::string& where) {
  const auto [at, other] = std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end());
  if (at == got.end() && other == wanted.end()) return;
  fail(where + ": byte " + std::to_string(at - got.begin()) + " of " + std::to_string(got.size()) +
       " is wrong");
}

adx_location at(const Buffer& buffer, uint64_t offset) {
  return {sizeof(adx_location), buffer.handle(), nullptr, offset};
}

adx_location at(Bytes& host, uint64_t offset) {
  return {sizeof(adx_location), nullptr, host.data(), offset};
}

void enqueue_copy(Device& device, const QueueLease& queue, const adx_location& from,
                  const adx_location& to, uint64_t bytes) {
  Status status;
  device.api().copy(device.handle(), queue.get(), &from, &to, bytes, status.get());
  status.check(device.name());
}

void in_two_threads(const std::function<void(size_t)>& work) {
  std::exception_ptr failures[2];
  const auto attempt = [&](size_t number) {
    try {
      work(number);
    } catch (...) {
      failures[number] = std::current_exception();
    }
  };
  std::thread other(attempt, 1);
  attempt(0);
  other.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace conformance

namespace {

using namespace conformance;

void check_properties(Device& device) {
  const adx_properties& properties = device.properties();
  if (properties.kind[0] == '\0') fail("the properties have no kind");
  if ((properties.compute_dtypes & ~properties.storage_dtypes) != 0) {
    fail("compute_dtypes has dtypes that storage_dtypes lacks");
  }
  if ((properties.compute_dtypes & 1U << ADX_FLOAT32) == 0) fail("float32 is not computed");
  if (properties.total_memory != 0 && properties.largest_allocation > properties.total_memory) {
    fail("the largest allocation exceeds the memory");
  }
  if (properties.total_memory != 0 && device.free_memory() > properties.total_memory) {
    fail("more memory is free than there is");
  }
}

void check_memory(Device& device) {
  std::vector<std::pair<Buffer, Bytes>> kept;
  for (const size_t size :
       {size_t{1}, size_t{63}, size_t{64}, size_t{4096}, (size_t{1} << 20) + 3}) {
    for (size_t seed = 0; seed < 3; ++seed) {
      Bytes bytes = pattern(size, kept.size());
      Buffer buffer = upload(device, bytes);
      kept.emplace_back(std::move(buffer), std::move(bytes));
    }
  }
  for (const auto& [buffer, bytes] : kept) {
    expect(download(device, buffer, bytes.size()), bytes, "a buffer beside others");
  }
}

void check_map(Device& device) {
  if (device.api().map == nullptr || (device.properties().flags & ADX_OPAQUE_BUFFERS) != 0) return;
  const Bytes bytes = pattern(1000, 1);
  const Buffer buffer = upload(device, bytes);
  auto* const mapped = static_cast<uint8_t*>(device.map(buffer));
  expect(Bytes(mapped, mapped + bytes.size()), bytes, "what is mapped");
  if (device.map(buffer) != mapped) fail("a second map gives another address");
  if (!device.has_unified_memory()) return;
  std::fill(mapped, mapped + bytes.size(), uint8_t{9});
  expect(download(device, buffer, bytes.size()), Bytes(bytes.size(), 9), "what the host wrote");
}

void check_wrap(Device& device) {
  if (!device.can_wrap()) return;
  Bytes host = pattern(1000, 2);
  const Buffer buffer = device.wrap(host.data(), host.size(), nullptr);
  expect(download(device, buffer, host.size()), host, "wrapped memory");
  device.fill(buffer, 5, host.size());
  expect(host, Bytes(host.size(), 5), "wrapped memory after a fill");
}

void check_copies(Device& device) {
  Bytes bytes = pattern(1000, 3);
  const Buffer a = upload(device, bytes);
  const Bytes piece = pattern(13, 4);
  device.copy_from_host(piece.data(), a, piece.size(), 501);
  std::copy(piece.begin(), piece.end(), bytes.begin() + 501);
  expect(download(device, a, bytes.size()), bytes, "a copy to an odd offset");
  expect(download(device, a, 17, 499), Bytes(bytes.begin() + 499, bytes.begin() + 516),
         "a copy from an odd offset");
  const Buffer b = upload(device, pattern(1000, 5));
  copy(a, 3, b, 7, 900);
  Bytes wanted = pattern(1000, 5);
  std::copy(bytes.begin() + 3, bytes.begin() + 903, wanted.begin() + 7);
  expect(download(device, b, wanted.size()), wanted, "a copy between buffers");
  const QueueLease queue = device.queue();
  Bytes host(1000), other(1000);
  enqueue_copy(device, queue, at(b, 11), at(host, 5), 600);
  enqueue_copy(device, queue, at(host, 5), at(other, 9), 600);
  queue.synchronize();
  Bytes moved(1000);
  std::copy_n(wanted.begin() + 11, 600, moved.begin() + 9);
  expect(other, moved, "a copy from the host to the host, at offsets of each");
}

void check_fill(Device& device) {
  Bytes bytes = pattern(1000, 6);
  const Buffer buffer = upload(device, bytes);
  device.fill(buffer, 0xC3, 333, 111);
  std::fill(bytes.begin() + 111, bytes.begin() + 444, uint8_t{0xC3});
  expect(download(device, buffer, bytes.size()), bytes, "a fill");
}

void check_out_of_memory(Device& device) {
  const uint64_t total = device.properties().total_memory;
  const uint64_t too_much = total == 0 ? uint64_t{1} << 60 : 2 * total;
  Status status;
  adx_buffer* const buffer = device.api().alloc(device.handle(), too_much, status.get());
  if (buffer != nullptr) device.api().free(device.handle(), buffer);
  if (status.code() != ADX_OUT_OF_MEMORY || buffer != nullptr) {
    fail("an allocation of " + std::to_string(too_much) + " bytes " +
         (status.ok() ? std::string("succeeds") : "gives code " + std::to_string(status.code())) +
         " instead of ADX_OUT_OF_MEMORY");
  }
  const Bytes bytes = pattern(100, 7);
  expect(download(device, upload(device, bytes), bytes.size()), bytes, "memory after a failure");
}

// Copies through a queue of its own, again and again; whether the bytes arrived each time.
bool keep_copying(Device& device, size_t seed) {
  constexpr size_t kTimes = 50;
  Bytes bytes = pattern(5000, seed);
  const QueueLease queue = device.queue();
  for (size_t i = 0; i < kTimes; ++i) {
    const Buffer a = device.alloc(bytes.size());
    const Buffer b = device.alloc(bytes.size());
    enqueue_copy(device, queue, at(bytes), at(a), bytes.size());
    enqueue_copy(device, queue, at(a), at(b), bytes.size());
    Bytes back(bytes.size());
    enqueue_copy(device, queue, at(b), at(back), bytes.size());
    queue.synchronize();
    if (back != bytes) return false;
  }
  return true;
}

void check_two_queues(Device& device) {
  in_two_threads([&](size_t number) {
    if (!keep_copying(device, number + 9)) fail("a copy of one of two queues is wrong");
  });
}

constexpr DeviceCheck kChecks[] = {{"properties", check_properties},
                                   {"memory", check_memory},
                                   {"map", check_map},
                                   {"wrap", check_wrap},
                                   {"copies", check_copies},
                                   {"fill", check_fill},
                                   {"out of memory", check_out_of_memory},
                                   {"two queues", check_two_queues}};

}  // namespace

std::span<const DeviceCheck> memory_checks() { return kChecks; }

std::vector<DeviceCheck> device_checks() {
  std::vector<DeviceCheck> all;
  for (const auto& checks : {memory_checks(), event_checks(), program_checks(), leak_checks()}) {
    all.insert(all.end(), checks.begin(), checks.end());
  }
  return all;
}

}  // namespace addax
