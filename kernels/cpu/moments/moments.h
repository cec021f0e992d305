#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/moments/moments_kernels.h"
#include "cpu/runtime/stages.h"

namespace addax::cpu {

// Mean and variance over rows, of which chunks of a stage make the moments part by part; a further
// stage, whose chunks are ranges of columns, puts them together.
template <class T>
class BatchMoments {
 public:
  using S = Sum<T>;

  // Rows of each part, more than none.
  BatchMoments(std::vector<int64_t> rows, int64_t columns, Isa isa = active_isa());

  std::size_t workspace_bytes() const;
  // Where a part's moments are collected, from no rows on.
  Moments<S> part(void* workspace, int64_t index) const;
  void add(const T* x, int64_t x_row, int64_t rows, int64_t cols, Moments<S>& moments) const {
    kernels_->add(x, x_row, rows, cols, moments);
  }
  const Stage& stage() const { return stage_; }
  void finish(void* workspace, int64_t chunk, S* mean, S* variance) const;

 private:
  std::vector<int64_t> rows_;
  int64_t columns_;
  const MomentsKernels<T>* kernels_;
  Stage stage_;
};

extern template class BatchMoments<float>;
extern template class BatchMoments<double>;
extern template class BatchMoments<BFloat16>;

}  // namespace addax::cpu
