#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/conv/conv_filter.h"
#include "cpu/conv/narrow_kernels.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {

// What FilterContraction computes, for narrow groups. The images, or where rows are long the
// output's rows, are cut into parts fixed by the shape, each with a partial dw of its own, summed
// in order.
template <class T>
class NarrowFilter {
 public:
  NarrowFilter(const ConvShape& shape, Isa isa);

  const std::vector<Stage>& stages() const { return stages_; }
  static ScratchNeeds scratch() { return {}; }
  std::size_t workspace_bytes() const;
  double flops() const { return flops_; }
  void run(const ConvFilterArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;

 private:
  int64_t weight_rows() const { return shape_.height.kernel * shape_.width.kernel * group_; }
  void run_row(const ConvFilterArgs<T>& args, Range images, int64_t out_y, T* dw) const;

  ConvShape shape_;
  const NarrowKernels<T>& kernels_;
  const GemmKernels<T>& sums_;
  int64_t group_;  // channels of a group
  bool over_images_;
  int64_t parts_ = 1;
  double flops_ = 0;
  std::vector<Stage> stages_;
};

extern template class NarrowFilter<float>;
extern template class NarrowFilter<double>;

}  // namespace addax::cpu
