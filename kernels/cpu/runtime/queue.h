#pragma once

#include "addax/device.h"

namespace addax::cpu {

// Synchronous: everything is done on return.
class Queue {
 public:
  void synchronize() {}
  void copy(const adx_location& from, const adx_location& to, uint64_t bytes);
  void fill(const adx_location& to, uint8_t value, uint64_t bytes);
};

}  // namespace addax::cpu

struct adx_queue : addax::cpu::Queue {};
