#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/conv_filter.h"
#include "cpu/depthwise_kernels.h"

namespace addax::cpu {

// What FilterContraction computes, for a depthwise convolution. The output's rows are cut into
// parts fixed by the shape, each with a partial dw of its own, summed in order.
template <class T>
class DepthwiseFilter {
 public:
  DepthwiseFilter(const ConvShape& shape, Isa isa);

  const std::vector<Stage>& stages() const { return stages_; }
  std::size_t workspace_bytes() const;
  double flops() const { return flops_; }
  void run(const ConvFilterArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;

 private:
  int64_t taps() const { return shape_.height.kernel * shape_.width.kernel; }
  void run_part(const ConvFilterArgs<T>& args, int64_t part, T* dw) const;

  ConvShape shape_;
  const DepthwiseKernels<T>& kernels_;
  const GemmKernels<T>& sums_;
  int64_t parts_ = 1;
  double flops_ = 0;
  std::vector<Stage> stages_;
};

extern template class DepthwiseFilter<float>;
extern template class DepthwiseFilter<double>;

}  // namespace addax::cpu
