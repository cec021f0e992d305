#pragma once

#include <string>
#include <vector>

#include "core/dtype.h"
#include "opencl/lowering/lowering.h"
#include "opencl/lowering/view.h"

namespace addax::opencl {

// What becomes of a contraction's sums: the node's `epilogue` over i0, the sum, and the extras,
// which are its inputs from the third on; the sum itself where it has none.
class Epilogue {
 public:
  Epilogue(const Node& node, DType compute);

  // The function `finish`, and EXTRAS and EXTRA_ARGUMENTS, which the kernel passes on to it;
  // PLAIN_STORE where it only stores.
  std::string text() const;
  void add_arguments(Launch& launch) const;

  // The text of one that stores the sums as they are.
  static std::string plain(DType compute);

 private:
  struct Extra {
    Tensor tensor;
    View view;

    // Where the element for an output's element is, in OpenCL C; empty if steps have to say it.
    std::string index() const;
  };

  bool needs_domain() const;

  const Node& node_;
  DType compute_;
  bool is_plain_;
  std::vector<Extra> extras_;
};

}  // namespace addax::opencl
