#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "cpu/conv/conv_shape.h"
#include "cpu/gemm/gemm_kernels.h"
#include "cpu/isa/isa.h"
#include "cpu/runtime/scratch.h"
#include "cpu/runtime/stages.h"

namespace addax::cpu {

// dw = gradient by the weights, added to dw when `accumulate`. Its elements R are of type T or of
// the type of its sums.
template <class T, class R = T>
struct ConvFilterArgs {
  const T* x = nullptr;
  const T* dy = nullptr;
  R* dw = nullptr;
  bool accumulate = false;
};

// How x and dy lie, in factors. The images of a bundle follow each other at each element of x,
// while dy's are dense; bundles of one are dense images of x. A batch is whole bundles.
struct FilterLayout {
  int64_t bundle;
  int64_t x_bundle;  // from one bundle of x to the next
  int64_t dy_image;  // from one image of dy to the next
};

// The gradient by the weights as a contraction over the pixels of all images. The batch is cut into
// parts fixed by the shape, each with a partial dw of its own, summed in order.
//
// Where a factor holds several elements, they are of several images at the same pixel and channel
// (see PairedFilterContraction), and "image" means that many of them.
template <class T, class R = T>
class FilterContraction {
 public:
  using Args = ConvFilterArgs<Factor<T>, R>;

  FilterContraction(const ConvShape& shape, Isa isa);
  FilterContraction(const ConvShape& shape, Isa isa, const FilterLayout& layout);
  const std::vector<Stage>& stages() const { return stages_; }
  ScratchNeeds scratch() const;
  std::size_t workspace_bytes() const;
  double flops() const { return flops_; }
  void run(const Args& args, std::size_t stage, int64_t chunk, void* workspace) const;

  // The gradient by pieces, for who uses each at once instead of storing dw: neighbouring elements
  // of it. There are none where parts are summed.
  struct Piece {
    int64_t first;
    int64_t size;
  };
  int64_t num_pieces() const { return static_cast<int64_t>(pieces_.size()); }
  Piece piece(int64_t index) const;
  // Computes the elements of a piece.
  void run_piece(const Args& args, int64_t index, Sum<T>* out, Ahead& ahead) const;

 private:
  // Rows [first, first + rows) of dw seen as [kernel * in_channels / groups, out_channels], that
  // one block makes: the input channels of one tap, or of a row of taps that lie beside each other
  // in x.
  struct Unit {
    int64_t group;
    int64_t tap_row;
    int64_t tap_col;
    int64_t channel;  // of the group
    int64_t first;
    int64_t rows;
  };

  // The pixels that all units of a chunk visit before the next: whole bundles of images, or one of
  // the bands_ of one bundle.
  struct Visit {
    Range bundles;
    int64_t band;
  };

  // Where a unit's rows begin, at the first of its panels, and how far they are apart.
  struct Rows {
    Sum<T>* data;
    int64_t step;
  };

  std::vector<Unit> make_units(int64_t rows) const;
  void plan();
  int64_t weight_rows() const;
  bool has_partial_sums() const { return parts_ > 1 || !std::is_same_v<R, Sum<T>>; }
  void run_parts(const Args& args, int64_t chunk, void* workspace) const;
  // Calls visitor(visit, whether its sums are added to what is there) for each visit of these
  // bundles, at least once.
  template <class Visitor>
  void for_each_visit(Range bundles, bool accumulate, const Visitor& visitor) const;
  void run_unit(const Args& args, const Unit& unit, const Visit& visit, Range panels,
                const Rows& rows, bool accumulate, Ahead* ahead = nullptr) const;
  std::vector<Segment> segments(const Unit& unit, const Visit& visit) const;

  ConvShape shape_;
  FilterLayout layout_;
  const GemmKernels<T>* kernels_;
  int64_t depth_;  // input channels of a group
  int64_t cols_;   // output channels of a group
  int64_t panels_per_group_;
  bool over_images_ = false;
  std::vector<Unit> units_;
  std::vector<Unit> pieces_;
  int64_t bundles_;
  int64_t bundles_at_once_ = 1;
  int64_t bands_ = 1;
  int64_t parts_ = 1;
  int64_t unit_chunks_ = 1;
  int64_t panel_chunks_ = 1;
  int64_t sum_chunks_ = 1;
  double flops_ = 0;
  std::vector<Stage> stages_;
};

extern template class FilterContraction<float>;
extern template class FilterContraction<double>;
extern template class FilterContraction<BFloat16>;
extern template class FilterContraction<BFloat16, float>;

}  // namespace addax::cpu
