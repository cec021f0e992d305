#include "runtime/value_check.h"

#include <cstdint>
#include <limits>

namespace addax {
namespace {

// The int64 that a double stands for; the largest ones were rounded to 2^63.
int64_t integer_of(double value) {
  return value < 0x1p63 ? static_cast<int64_t>(value) : std::numeric_limits<int64_t>::max();
}

std::string message(const FailedCheck& check) {
  std::string text = "[" + check.op + "] " + check.what + " " + std::to_string(check.value) +
                     " at index " + std::to_string(check.index);
  if (check.low < check.high) {
    text += " is outside [" + std::to_string(check.low) + ", " + std::to_string(check.high) + ")";
  } else {
    text += " is out of range";
  }
  return check.label.empty() ? text : text + " (in '" + check.label + "')";
}

}  // namespace

ValueCheckError::ValueCheckError(FailedCheck check)
    : OutOfRangeError(message(check)), check_(std::move(check)) {}

bool checks_values(const OpDef& op) {
  return op.name == "check_range" || op.name == "take" || op.name == "scatter_add" ||
         op.name == "batch_indices" || op.name == "in_top_k" ||
         op.name.starts_with("sparse_softmax_cross_entropy");
}

FailedCheck describe_failed_check(const Graph& graph, const Node& node, int64_t index, double value,
                                  uint64_t step) {
  FailedCheck check{.op = node.op->name,
                    .label = node.label,
                    .what = "value",
                    .index = index,
                    .value = integer_of(value),
                    .low = 0,
                    .high = 0,
                    .step = step};
  if (check.op == "check_range") {
    check.what = node.attrs.text("what");
    check.low = node.attrs.integer("low");
    check.high = node.attrs.integer("high");
    // "sparse_softmax_cross_entropy label": the op that was decomposed, and its word for the value.
    if (const size_t space = check.what.find(' '); space != std::string::npos) {
      check.op = check.what.substr(0, space);
      check.what.erase(0, space + 1);
    }
  } else if (check.op.starts_with("sparse_softmax_cross_entropy")) {
    const Shape& logits = graph.shape(node.inputs[0]);
    check.op = "sparse_softmax_cross_entropy";
    check.what = "label";
    check.high = logits[logits.rank() - 1];
  } else if (check.op == "take") {
    check.what = "index";
    check.high = graph.shape(node.inputs[0])[static_cast<int>(node.attrs.integer("axis"))];
  } else if (check.op == "scatter_add") {
    check.what = "index";
    check.high = node.attrs.ints("shape")[static_cast<size_t>(node.attrs.integer("axis"))];
  } else if (check.op == "batch_indices") {
    check.what = "position";
    check.high = node.attrs.integer("n");
  }
  return check;
}

}  // namespace addax
