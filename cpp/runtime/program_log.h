#pragma once

#include <string>

#include "graph/graph.h"
#include "passes/memory_plan.h"

namespace addax {

// With ADDAX_LOG=plan writes where each value of a compiled program lies, with ADDAX_LOG=kernels
// the nodes that `device` executes, with their types and floating-point operations.
void log_program(const Graph& graph, const MemoryPlan& plan, const std::string& device);

}  // namespace addax
