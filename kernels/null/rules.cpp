#include "null/rules.h"

#include <algorithm>

namespace addax::null_device {

Rule find_rule(std::string_view op) {
  static const Rules rules = [] {
    Rules all;
    add_elementwise_rules(all);
    add_reduce_rules(all);
    add_contraction_rules(all);
    add_shape_rules(all);
    add_sort_rules(all);
    add_layer_rules(all);
    add_update_rules(all);
    return all;
  }();
  const auto found = rules.find(op);
  return found == rules.end() ? nullptr : found->second;
}

void check_node(const Node& node) {
  const Rule rule = find_rule(node.op());
  node.require(rule != nullptr, ADX_UNSUPPORTED, "there is no such op");
  const std::vector<Type> expected = rule(node);
  node.require(expected.size() == node.outputs().size(), ADX_INVALID_ARGUMENT,
               "has " + std::to_string(expected.size()) + " outputs, not " +
                   std::to_string(node.outputs().size()));
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] == node.outputs()[i]) continue;
    node.fail(expected[i].dtype == node.outputs()[i].dtype ? ADX_SHAPE : ADX_DTYPE,
              "output " + std::to_string(i) + " must be " + expected[i].to_string() + ", not " +
                  node.outputs()[i].to_string());
  }
}

Dims broadcast_inputs(const Node& node, int first) {
  Dims result;
  for (int i = first; i < node.num_inputs(); ++i) {
    const Dims& dims = node.input(i).dims;
    if (dims.size() > result.size()) result.insert(result.begin(), dims.size() - result.size(), 1);
    for (size_t k = 0; k < dims.size(); ++k) {
      int64_t& have = result[result.size() - dims.size() + k];
      node.require(have == dims[k] || have == 1 || dims[k] == 1, ADX_SHAPE,
                   "the inputs do not broadcast");
      if (have == 1) have = dims[k];
    }
  }
  return result;
}

bool broadcasts_to(const Dims& from, const Dims& to) {
  if (from.size() > to.size()) return false;
  const auto tail = to.end() - static_cast<std::ptrdiff_t>(from.size());
  return std::equal(from.begin(), from.end(), tail,
                    [](int64_t a, int64_t b) { return a == b || a == 1; });
}

Dims reduce_dims(const Dims& dims, const Dims& axes, bool keepdims) {
  Dims result;
  for (int64_t i = 0; i < static_cast<int64_t>(dims.size()); ++i) {
    const bool reduced = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!reduced) result.push_back(dims[static_cast<size_t>(i)]);
    if (reduced && keepdims) result.push_back(1);
  }
  return result;
}

}  // namespace addax::null_device
