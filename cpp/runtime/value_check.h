#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "graph/graph.h"

namespace addax {

// Where a value check of a run failed.
struct FailedCheck {
  std::string op;     // "sparse_softmax_cross_entropy"
  std::string label;  // the node's label: the layer that it came from
  std::string what;   // "label", "index"
  int64_t index = 0;  // flat index in the checked tensor
  int64_t value = 0;
  int64_t low = 0;  // the value had to be in [low, high); low == high when the op does not tell
  int64_t high = 0;
  uint64_t step = 0;  // steps that the run had finished before
};

// "[sparse_softmax_cross_entropy] label 12 at index 5 is outside [0, 10)".
class ValueCheckError : public OutOfRangeError {
 public:
  explicit ValueCheckError(FailedCheck check);
  const FailedCheck& check() const { return check_; }

 private:
  FailedCheck check_;
};

// Whether the op looks at values that may be out of range.
bool checks_values(const OpDef& op);

// What `node` of `graph` had to say about an element.
FailedCheck describe_failed_check(const Graph& graph, const Node& node, int64_t index, double value,
                                  uint64_t step);

}  // namespace addax
