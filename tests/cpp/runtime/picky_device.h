#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "device/device.h"

namespace addax::testing {

// The CPU's kernels as devices that refuse ops: "picky:0" is synchronous, "picky:1" works in
// threads of its queues, each piece of work after a pause, and hides its memory.
Device& picky_device(bool is_asynchronous);

// While it lives, what picky devices refuse and what their memory does.
class Picky {
 public:
  explicit Picky(std::set<std::string> refused);
  ~Picky();
  Picky(const Picky&) = delete;
  Picky& operator=(const Picky&) = delete;

  // The run of a program that is this many runs away ends with an error.
  void run_out_of_memory_after(int64_t runs);
  // On the asynchronous device: the run of a program that is this many runs away waits until
  // something is copied there from the host, or for long. Whether it came in time.
  void hold_until_a_copy_after(int64_t runs);
  bool copy_came() const;
};

}  // namespace addax::testing
