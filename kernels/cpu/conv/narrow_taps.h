#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/conv/conv_shape.h"
#include "cpu/conv/conv_taps.h"
#include "cpu/conv/narrow_kernels.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {

// Whether there are kernels for the shape's groups: depthwise ones, and those of a few channels.
template <class T>
bool has_narrow_groups(const ConvShape& shape, Isa isa) {
  const int64_t group = shape.in_channels / shape.groups;
  return shape.groups > 1 && shape.in_channels == shape.out_channels && group > 0 &&
         (group & (group - 1)) == 0 && (group == 1 || group < narrow_kernels<T>(isa).vector);
}

// What TapContraction computes, for narrow groups. Pixels that are worked on together are
// neighbours in a row, or those of several images at one position where rows are short.
template <class T>
class NarrowTaps {
 public:
  NarrowTaps(const TapProblem& problem, Isa isa);

  const std::vector<Stage>& stages() const { return stages_; }
  static ScratchNeeds scratch() { return {}; }
  std::size_t workspace_bytes() const;
  double flops() const { return flops_; }
  static std::vector<int64_t> rows_of_parts() { return {}; }  // it makes no moments
  void run(const TapArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;

 private:
  int64_t weights_per_tap() const { return group_ * problem_.target.channels; }
  int64_t units() const;
  void pack(const T* weights, T* packed) const;
  void contract(const TapArgs<T>& args, const T* weights, int64_t chunk) const;
  void contract_unit(const TapArgs<T>& args, const T* weights, int64_t unit) const;

  TapProblem problem_;
  const NarrowKernels<T>& kernels_;
  int64_t group_;  // channels of a group
  bool packs_;     // the weights do not lie as the kernels read them
  std::vector<AxisRun> rows_;
  std::vector<AxisRun> cols_;
  int64_t images_at_once_ = 1;
  double flops_ = 0;
  std::vector<Stage> stages_;
};

extern template class NarrowTaps<float>;
extern template class NarrowTaps<double>;

}  // namespace addax::cpu
