#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/conv/conv_axis.h"
#include "cpu/gemm/gemm_kernels.h"
#include "cpu/moments/moments.h"
#include "cpu/runtime/scratch.h"
#include "cpu/runtime/stages.h"

namespace addax::cpu {

// Dense images of one side of a contraction.
struct TapImage {
  int64_t height;
  int64_t width;
  int64_t channels;
};

// Element (d, c) of the matrix of tap t and group g lies at t * tap + g * group + d * depth + c *
// col.
struct TapWeights {
  int64_t tap;
  int64_t group;
  int64_t depth;
  int64_t col;
};

struct TapProblem {
  int64_t batch;
  int64_t groups;
  TapImage source;
  TapImage target;
  TapWeights weights;
  ConvAxis height;
  ConvAxis width;
  std::vector<AxisRun> (*runs)(const ConvAxis&, bool merge);
};

// Weights W are of type T, or of the type that its products are summed in, then rounded to T.
template <class T, class W = T>
struct TapArgs {
  const T* source;
  const W* weights;
  T* target;
  Finish<T> finish;  // of the whole target, whose pixels are rows
  // Moments of the target, one part for each entry of `rows_of_parts`, which begin at `parts`.
  const BatchMoments<T>* moments = nullptr;
  void* parts = nullptr;
};

// The contraction that a convolution and its gradient by data share: each target pixel is a sum,
// over the kernel taps that meet the source, of a source pixel times that tap's matrix. Tiles run
// over neighbouring pixels of a row, or over the images of the batch at a fixed position where rows
// are short; taps that fall on padding are skipped, and neither a padded copy nor an im2col matrix
// is made. A group's source channels are a whole number of factors (see `takes`).
template <class T, class W = T>
class TapContraction {
 public:
  TapContraction(const TapProblem& problem, Isa isa);
  static bool takes(const TapProblem& problem) {
    return problem.source.channels / problem.groups % kFactorDepth<T> == 0;
  }

  const std::vector<Stage>& stages() const { return stages_; }
  ScratchNeeds scratch() const;
  std::size_t workspace_bytes() const;
  double flops() const { return flops_; }
  // Pixels of each part of the target whose moments a run makes; none: it makes no moments.
  std::vector<int64_t> rows_of_parts() const;
  void run(const TapArgs<T, W>& args, std::size_t stage, int64_t chunk, void* workspace) const;

 private:
  // Whether a panel's weights are read in place, packed by a stage of their own for all chunks, or
  // packed by the only chunk that uses the panel, which then finds them in its core's cache.
  enum class Packing { None, Stage, Chunk };

  // Target columns [col, col + cols) of one group.
  struct Panel {
    int64_t group;
    int64_t col;
    int64_t cols;
  };
  // The matrices of one panel, as they lie in the weights or packed.
  struct Matrices {
    const Factor<T>* data;
    int64_t tap;
    int64_t depth;
    int64_t col;
  };

  void plan();
  int64_t num_panels() const { return problem_.groups * panels_per_group_; }
  Panel panel(int64_t index) const;
  int64_t packed_panel_size() const;
  Packing choose_packing() const;
  void pack(const TapArgs<T, W>& args, const Panel& panel, Factor<T>* packed) const;
  Matrices matrices(const TapArgs<T, W>& args, int64_t index, Factor<T>* packed) const;
  void contract(const TapArgs<T, W>& args, int64_t chunk, Factor<T>* packed) const;
  // Where the weights that a panel is packed from lie.
  Ahead weights_of(const TapArgs<T, W>& args, const Panel& panel) const;
  void contract_panel(const TapArgs<T, W>& args, const Panel& panel, const Matrices& matrices,
                      Range images, Range rows, Moments<Sum<T>> moments, Ahead& ahead) const;
  // The pixels that no tap reaches: their sums are zero.
  void finish_bare(const TapArgs<T, W>& args, Range panels, Range images, Range rows) const;
  bool has_bare_pixels() const;
  Range images_of(int64_t part) const;
  Range rows_of(int64_t part) const;

  TapProblem problem_;
  const GemmKernels<T>* kernels_;
  int64_t depth_;  // factors of a group of source channels
  int64_t cols_;   // target channels of a group
  int64_t panels_per_group_;
  bool over_images_;
  Packing packing_ = Packing::None;
  std::vector<int64_t> packed_taps_;
  std::vector<AxisRun> row_runs_;
  std::vector<AxisRun> col_runs_;
  std::vector<AxisRun> bare_cols_;  // without taps, merged; the others are in col_runs_, too
  int64_t image_chunks_ = 1;
  int64_t row_chunks_ = 1;
  int64_t panel_chunks_ = 1;
  double flops_ = 0;
  std::vector<Stage> stages_;
};

extern template class TapContraction<float>;
extern template class TapContraction<double>;
extern template class TapContraction<BFloat16>;
extern template class TapContraction<BFloat16, float>;

}  // namespace addax::cpu
