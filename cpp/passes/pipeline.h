#pragma once

#include <span>

#include "passes/pass.h"

namespace addax {

// The passes in the order in which `optimize` runs them; some run more than once.
std::span<const Pass> pipeline();

// Makes `graph` ready for `plan_memory` and for the device, but for nodes without a decomposition
// that the device refuses (place.h). The verifier runs after each pass. ADDAX_LOG=graph prints the
// graph as it comes, ADDAX_LOG=passes after each pass that changes it.
void optimize(Graph& graph, const PassTarget& target);

}  // namespace addax
