#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"

namespace addax {

// Reverse-mode differentiation. Appends to `graph` the gradient of the scalar floating-point value
// `loss` with respect to each of `wrt`, which may be any values of the graph; zeros where the loss
// does not depend on one. Nodes without a gradient rule are differentiated through their
// decomposition. The result is ordinary graph and can be differentiated again.
// Throws ShapeError when loss is not a scalar, DTypeError when it or a `wrt` is not floating.
std::vector<Value> gradients(Graph& graph, Value loss, std::span<const Value> wrt);

}  // namespace addax
