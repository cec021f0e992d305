#include "device/trial.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <numeric>

#include "core/error.h"

namespace addax {
namespace {

constexpr uint64_t kBytes = 256;
constexpr uint64_t kHalf = kBytes / 2;
constexpr uint8_t kFilling = 0xA5;

using Bytes = std::array<uint8_t, kBytes>;

[[noreturn]] void fail(const Device& device, const std::string& what) {
  throw DeviceError("[" + device.name() + "] the device fails on its first bytes: " + what);
}

// Half of the buffer filled, the other half copied from the host.
Bytes write(Device& device, const Buffer& buffer) {
  Bytes expected;
  expected.fill(kFilling);
  std::iota(expected.begin() + kHalf, expected.end(), uint8_t{1});
  device.fill(buffer, kFilling, kHalf);
  device.copy_from_host(expected.data() + kHalf, buffer, kHalf, kHalf);
  return expected;
}

}  // namespace

void try_device(Device& device) {
  {
    const Buffer buffer = device.alloc(kBytes);
    const Bytes expected = write(device, buffer);
    Bytes got{};
    device.copy_to_host(buffer, got.data(), kBytes);
    if (got != expected) fail(device, "what is copied there does not come back");
    if (buffer.host() != nullptr && std::memcmp(buffer.host(), expected.data(), kBytes) != 0) {
      fail(device, "mapped memory is not what was copied there");
    }
    const Buffer other = device.alloc(kBytes);
    copy(buffer, 0, other, 0, kBytes);
    got = {};
    device.copy_to_host(other, got.data(), kBytes);
    if (got != expected) fail(device, "a copy between its buffers does not arrive");
  }
  device.allocator().trim();
}

}  // namespace addax
