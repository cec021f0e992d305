#pragma once

#include <span>
#include <vector>

#include "passes/fusion_view.h"

namespace addax {

// The scalar expression of several elementwise nodes together.
struct AssembledExpr {
  std::vector<Value> inputs;  // values from outside, in order of first use
  ScalarExpr expr;            // over those; one output for each of `outputs`
};

// `nodes` in topological order, `outputs` among their results and operands. With `first` valid,
// that value, which no node of the group computes, is input 0.
AssembledExpr assemble_expr(const FusionView& view, std::span<const NodeId> nodes,
                            std::span<const Value> outputs, Value first = {});

}  // namespace addax
