#pragma once

#include "graph/graph.h"

namespace addax {

// Checks every invariant of the IR: definitions before uses, one definition per value, resolved
// attributes, types equal to what `infer` gives, next values of their state's type. Throws
// InternalError that names the node; `after` says which pass ran last.
void verify(const Graph& graph, std::string_view after);

}  // namespace addax
