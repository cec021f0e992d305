#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/conv_filter.h"
#include "cpu/conv_shape.h"
#include "cpu/gemm_kernels.h"
#include "cpu/isa.h"
#include "cpu/stages.h"

namespace addax::cpu {

// The gradient by the weights of a bfloat16 convolution: elements of two neighbouring images become
// pairs, so that a tap's reach never parts them, then FilterContraction sums over half the images.
// The last image of an odd batch is paired with zeros.
template <class R>
class PairedFilterContraction {
 public:
  PairedFilterContraction(const ConvShape& shape, Isa isa);

  const std::vector<Stage>& stages() const { return stages_; }
  std::size_t workspace_bytes() const;
  double flops() const;
  void run(const ConvFilterArgs<BFloat16, R>& args, std::size_t stage, int64_t chunk,
           void* workspace) const;

 private:
  // A tensor of `batch` images and where its pairs lie in the workspace.
  struct Images {
    int64_t size;
    int64_t row;  // factors from one pair of images to the next
    std::size_t offset;
  };

  BFloat16Pair* pairs(const Images& images, void* workspace) const;
  void interleave(const Images& images, const BFloat16* from, int64_t pair, void* workspace) const;

  int64_t batch_;
  PackKernel<BFloat16, BFloat16> pack_;
  Images x_;
  Images dy_;
  FilterContraction<BFloat16, R> contraction_;
  std::vector<Stage> stages_;
};

extern template class PairedFilterContraction<BFloat16>;
extern template class PairedFilterContraction<float>;

}  // namespace addax::cpu
