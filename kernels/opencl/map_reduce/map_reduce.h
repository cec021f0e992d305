#pragma once

#include <string>
#include <vector>

#include "core/dtype.h"
#include "opencl/lowering/lowering.h"
#include "opencl/lowering/view.h"
#include "opencl/map_reduce/reduction_plan.h"
#include "ops/scalar_expr.h"

namespace addax::opencl {

// A loop over the elements of a domain [outer, reduced, inner]: an expression of inputs seen
// through views, whose values are put out element by element, or folded over the middle axis.
struct MapReduce {
  struct Input {
    Tensor tensor;
    View view;  // over the domain, whose axes may be split further
  };
  struct Output {
    Tensor tensor;
    std::string fold;  // "none": of the domain's extents; else "sum", "prod", "max" or "min"
  };

  ScalarExpr expr;
  DType compute = DType::Float32;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  Extents extents;

  bool folds() const;
};

// An item per element where nothing is folded; else as reduction_plan.h cuts it.
void add_map_reduce(Lowering& to, MapReduce loop);

}  // namespace addax::opencl
