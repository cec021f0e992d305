#pragma once

#include <string>
#include <vector>

#include "core/dtype.h"
#include "opencl/lowering.h"
#include "opencl/view.h"

namespace addax::opencl {

// What becomes of a contraction's sums: the node's `epilogue` over i0, the sum, and the extras,
// which are its inputs from the third on; the sum itself where it has none.
class Epilogue {
 public:
  Epilogue(const Node& node, DType compute);

  // The function `finish`, and EXTRAS and EXTRA_ARGUMENTS, which the kernel passes on to it.
  std::string text() const;
  void add_arguments(Launch& launch) const;

 private:
  struct Extra {
    Tensor tensor;
    View view;
  };

  const Node& node_;
  DType compute_;
  bool is_plain_;
  std::vector<Extra> extras_;
};

}  // namespace addax::opencl
