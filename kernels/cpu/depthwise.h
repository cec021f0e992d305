#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/conv_taps.h"
#include "cpu/depthwise_kernels.h"

namespace addax::cpu {

// What TapContraction computes, where every group has one channel: vectors run over channels.
template <class T>
class DepthwiseTaps {
 public:
  DepthwiseTaps(const TapProblem& problem, Isa isa);

  const std::vector<Stage>& stages() const { return stages_; }
  std::size_t workspace_bytes() const { return 0; }
  double flops() const { return flops_; }
  void run(const TapArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;

 private:
  TapProblem problem_;
  const DepthwiseKernels<T>& kernels_;
  std::vector<AxisRun> rows_;
  std::vector<AxisRun> cols_;
  double flops_ = 0;
  std::vector<Stage> stages_;
};

extern template class DepthwiseTaps<float>;
extern template class DepthwiseTaps<double>;

}  // namespace addax::cpu
