#pragma once

#include <cstddef>

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

// `attrs` are resolved.
inline UpdateGroups update_groups(const OpDef& op, const Attrs& attrs, size_t num_inputs) {
  const size_t scalars = op.inputs.size() - 1;
  const auto count = static_cast<size_t>(attrs.integer("count"));
  return {scalars, count, (num_inputs - scalars) / count};
}

}  // namespace addax
