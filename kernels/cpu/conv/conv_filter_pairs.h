#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/conv/conv_filter.h"
#include "cpu/conv/conv_shape.h"
#include "cpu/gemm/gemm_kernels.h"
#include "cpu/isa/isa.h"
#include "cpu/runtime/scratch.h"
#include "cpu/runtime/stages.h"

namespace addax::cpu {

// The gradient by the weights of a bfloat16 convolution: elements of two neighbouring images become
// pairs, so that a tap's reach never parts them, then FilterContraction sums over half the images.
// For tile registers, which take rows of factors, 16 pairs of images follow each other at each
// element of x. Images that the batch lacks are zeros.
template <class R>
class PairedFilterContraction {
 public:
  PairedFilterContraction(const ConvShape& shape, Isa isa);
  // With a bundle of this many pairs, 1 or 16.
  PairedFilterContraction(const ConvShape& shape, Isa isa, int64_t bundle);

  const std::vector<Stage>& stages() const { return stages_; }
  ScratchNeeds scratch() const;
  std::size_t workspace_bytes() const { return workspace_bytes_; }
  double flops() const;
  void run(const ConvFilterArgs<BFloat16, R>& args, std::size_t stage, int64_t chunk,
           void* workspace) const;

  // As in FilterContraction, once the first stage has run.
  using Piece = typename FilterContraction<BFloat16, R>::Piece;
  int64_t num_pieces() const { return contraction_.num_pieces(); }
  Piece piece(int64_t index) const { return contraction_.piece(index); }
  void run_piece(int64_t index, void* workspace, float* out, Ahead& ahead) const;

 private:
  // Elements of an image, pairs between images of its kind, and where they lie in the workspace.
  struct Images {
    int64_t size;
    int64_t row;
    std::size_t offset;
  };

  int64_t pairs() const { return bundles_ * bundle_; }
  BFloat16Pair* place(const Images& images, void* workspace) const;
  void interleave(const BFloat16* from, int64_t size, int64_t pair, int64_t begin, int64_t count,
                  BFloat16Pair* to) const;
  void bundle_x(const BFloat16* from, int64_t bundle, BFloat16Pair* to) const;

  int64_t batch_;
  int64_t bundle_;
  int64_t bundles_;
  PackKernel<BFloat16, BFloat16> pack_;
  Images x_;
  Images dy_;
  FilterContraction<BFloat16, R> contraction_;
  std::vector<Stage> stages_;
  std::size_t workspace_bytes_ = 0;
};

extern template class PairedFilterContraction<BFloat16>;
extern template class PairedFilterContraction<float>;

}  // namespace addax::cpu
