#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/op_def.h"

namespace addax {

// The tensors that an op of class Update takes: `groups` groups (parameters, gradients, each kind
// of slot) of `count` each behind its scalars. It puts out the same groups but the gradients.
struct UpdateGroups {
  static constexpr size_t kParameters = 0;
  static constexpr size_t kGradients = 1;

  size_t scalars;
  size_t count;
  size_t groups;

  size_t input(size_t group, size_t i) const { return scalars + group * count + i; }
  size_t output(size_t group, size_t i) const {
    return (group > kGradients ? group - 1 : group) * count + i;
  }
};

// `count` is the op's attribute, resolved.
inline UpdateGroups update_groups(const OpDef& op, int64_t count, size_t num_inputs) {
  const size_t scalars = op.inputs.size() - 1;
  const auto parameters = static_cast<size_t>(count);
  return {scalars, parameters, (num_inputs - scalars) / parameters};
}

inline UpdateGroups update_groups(const OpDef& op, const Attrs& attrs, size_t num_inputs) {
  return update_groups(op, attrs.integer("count"), num_inputs);
}

}  // namespace addax
