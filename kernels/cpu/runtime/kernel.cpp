#include "cpu/runtime/kernel.h"

namespace addax::cpu {

Title title_of(const Node& node) { return {std::string(node.op()), std::string(node.label())}; }

Title joint_title(const Title& first, const Title& second) {
  const bool alike = first.label == second.label;
  return {first.op + "+" + second.op, alike ? first.label : first.label + "+" + second.label};
}

void CheckFailure::report(int64_t index, double value) {
  while (lock_.test_and_set(std::memory_order_acquire)) {
  }
  if (!failed_.load(std::memory_order_relaxed) || index < index_) {
    index_ = index;
    value_ = value;
    failed_.store(true, std::memory_order_relaxed);
  }
  lock_.clear(std::memory_order_release);
}

void CheckFailure::clear() { failed_.store(false, std::memory_order_relaxed); }

}  // namespace addax::cpu
