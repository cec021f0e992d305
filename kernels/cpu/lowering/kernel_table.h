#pragma once

#include "cpu/lowering/node.h"
#include "cpu/runtime/kernel.h"

namespace addax::cpu {

// One op that the device can run.
struct KernelEntry {
  std::string_view op;
  // Whether the kernel takes this node's dtypes and shapes; looks at no storage.
  bool (*accepts)(const Node& node);
  // The kernel of an accepted node; null when there is nothing to do at run time.
  KernelPtr (*make)(const Node& node);
};

// The entry that takes this node, or null.
const KernelEntry* find_kernel(const Node& node);

}  // namespace addax::cpu
