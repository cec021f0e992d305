#pragma once

#include <string>
#include <vector>

#include "ops/op_def.h"
#include "ops/registry.h"

namespace addax {

// What an elementwise op states; the rest of its OpDef follows.
struct Elementwise {
  std::string name;
  std::vector<std::string> inputs;
  DTypeRule dtype_rule;
  std::string expr;

  // Gradient of each input as expression text over the inputs, `y`, `dy` and the attributes; empty
  // where there is none. Fewer texts than inputs: the rest have none.
  std::vector<std::string> gradients;

  std::string doc;
  std::vector<AttrDef> attrs = {};
  bool accepts_bool = false;  // matters for DTypeRule::Same only
};

OpDef elementwise_op(Elementwise record);

// The files of the family, by subject.
void register_arithmetic_ops(OpRegistryBuilder& ops);
void register_math_ops(OpRegistryBuilder& ops);
void register_activation_ops(OpRegistryBuilder& ops);
void register_logic_ops(OpRegistryBuilder& ops);

}  // namespace addax
