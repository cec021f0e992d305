#pragma once

#include <string_view>

#include "cpu/node.h"

namespace addax::cpu {

bool is_optimizer(std::string_view op);

// How the tensors of an optimizer's node lie behind its scalars: parameters, gradients, then each
// kind of slot, `count` of each. Outputs are the same without gradients.
struct OptimizerGroups {
  explicit OptimizerGroups(const Node& optimizer);

  size_t input(size_t group, size_t i) const { return scalars + group * count + i; }
  size_t gradient(size_t i) const { return input(1, i); }

  size_t scalars;
  size_t in_groups;
  size_t count;
};

}  // namespace addax::cpu
