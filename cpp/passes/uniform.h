#pragma once

#include <optional>

#include "graph/graph.h"

namespace addax {

// The literal that `value` is, or null when it is not a constant of the graph.
const Literal* literal_of(const Graph& graph, Value value);

// The number that every element of `value` is: of a constant, or of a broadcast or reshaped one.
// Nothing when they differ, when there are none, or when a double cannot hold the number.
std::optional<double> uniform_value(const Graph& graph, Value value);

}  // namespace addax
