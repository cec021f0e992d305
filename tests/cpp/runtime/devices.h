#pragma once

#include <vector>

#include "device/registry.h"

namespace addax::testing {

// The CPU, with the runtime's threads.
Device& cpu();

// A device that computes nothing but checks everything: 0 with unified memory, 1 without.
Device& null_device(int index = 0);

// Memory of `device` with these numbers.
Buffer upload(Device& device, const void* data, uint64_t bytes);

template <class T>
Buffer upload(Device& device, const std::vector<T>& numbers) {
  return upload(device, numbers.data(), numbers.size() * sizeof(T));
}

template <class T>
std::vector<T> download(const Buffer& buffer) {
  std::vector<T> numbers(buffer.bytes() / sizeof(T));
  buffer.device().copy_to_host(buffer, numbers.data(), numbers.size() * sizeof(T));
  return numbers;
}

}  // namespace addax::testing
