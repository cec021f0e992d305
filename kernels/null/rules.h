#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "null/node.h"

namespace addax::null_device {

// The output types that an op's contract asks for; a Problem where the inputs or attributes break
// it.
using Rule = std::vector<Type> (*)(const Node&);
using Rules = std::map<std::string, Rule, std::less<>>;

void add_elementwise_rules(Rules& rules);
void add_reduce_rules(Rules& rules);
void add_contraction_rules(Rules& rules);
void add_shape_rules(Rules& rules);
void add_sort_rules(Rules& rules);
void add_layer_rules(Rules& rules);
void add_update_rules(Rules& rules);

// Null when there is no such op.
Rule find_rule(std::string_view op);

// Checks one node against its rule.
void check_node(const Node& node);

// NumPy's broadcasting of all inputs from `first` on; a Problem when they do not fit.
Dims broadcast_inputs(const Node& node, int first = 0);
// Whether `from` broadcasts to `to`, right-aligned.
bool broadcasts_to(const Dims& from, const Dims& to);
// `dims` without `axes`, or with extents of 1 there.
Dims reduce_dims(const Dims& dims, const Dims& axes, bool keepdims);

}  // namespace addax::null_device
