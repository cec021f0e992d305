#pragma once

#include <memory>
#include <vector>

#include "cpu/map_reduce/tape.h"
#include "cpu/runtime/kernel.h"

namespace addax::cpu {

// An expression evaluated over a domain, each of whose outputs is written there or reduced.
//   Map      no reduction; the domain is `cols` elements (batch = rows = 1)
//   Rows     [rows, cols] with reductions over cols (batch = 1)
//   Columns  [batch, rows, cols] with reductions over rows
struct MapReduceSpec {
  enum class Form : uint8_t { Map, Rows, Columns };

  ScalarExpr expr;
  ComputeClass compute = ComputeClass::F32;
  std::vector<TapeInput> inputs;  // views over the domain
  std::vector<Tensor> outputs;    // dense; reduced ones have rows, or batch * cols elements
  std::vector<ReduceKind> reductions;
  Form form = Form::Map;
  int64_t batch = 1;
  int64_t rows = 1;
  int64_t cols = 1;
};

// Sums are formed in fixed lanes within a block, and blocks meet in a tree whose form the shape
// fixes: the result does not depend on threads, and its rounding error grows with the logarithm of
// the extent.
KernelPtr make_map_reduce(MapReduceSpec spec);

}  // namespace addax::cpu
