#pragma once

#include <string_view>
#include <vector>

#include "ops/op_def.h"

namespace addax {

// All ops, registered once at first use; immutable afterwards, so lookups need no lock.
class OpRegistry {
 public:
  static const OpRegistry& instance();

  // Throws InvalidArgumentError with the nearest name when there is none.
  const OpDef& at(std::string_view name) const;
  const OpDef* find(std::string_view name) const;
  std::vector<const OpDef*> all() const;  // by name

 private:
  friend class OpRegistryBuilder;
  std::vector<OpDef> ops_;  // sorted by name
};

// What the family files use. `add` throws InternalError on a duplicate or an invalid record.
class OpRegistryBuilder {
 public:
  void add(OpDef def);
  OpRegistry build();

 private:
  std::vector<OpDef> ops_;
};

// One function per family file.
void register_elementwise_ops(OpRegistryBuilder& ops);
void register_reduce_ops(OpRegistryBuilder& ops);
void register_matmul_ops(OpRegistryBuilder& ops);
void register_conv_ops(OpRegistryBuilder& ops);
void register_pool_ops(OpRegistryBuilder& ops);
void register_norm_ops(OpRegistryBuilder& ops);
void register_softmax_ops(OpRegistryBuilder& ops);
void register_loss_ops(OpRegistryBuilder& ops);
void register_shape_ops(OpRegistryBuilder& ops);
void register_gather_ops(OpRegistryBuilder& ops);
void register_sort_ops(OpRegistryBuilder& ops);
void register_source_ops(OpRegistryBuilder& ops);
void register_random_ops(OpRegistryBuilder& ops);
void register_update_ops(OpRegistryBuilder& ops);
void register_fused_ops(OpRegistryBuilder& ops);

}  // namespace addax
