#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/conv_shape.h"
#include "cpu/gemm_kernels.h"
#include "cpu/isa.h"
#include "cpu/stages.h"

namespace addax::cpu {

// dw = gradient by the weights, added to dw when `accumulate`.
template <class T>
struct ConvFilterArgs {
  const T* x = nullptr;
  const T* dy = nullptr;
  T* dw = nullptr;
  bool accumulate = false;
};

// The batch is cut into parts fixed by the shape, each with a partial dw of its own, summed in
// order.
template <class T>
class FilterContraction {
 public:
  FilterContraction(const ConvShape& shape, Isa isa);
  const std::vector<Stage>& stages() const { return stages_; }
  std::size_t workspace_bytes() const;
  double flops() const { return flops_; }
  void run(const ConvFilterArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;

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

  // The pixels that all units of a chunk visit before the next: whole images, or one of the bands_
  // of one image.
  struct Visit {
    Range images;
    int64_t band;
  };

  void make_units();
  void plan();
  int64_t weight_rows() const;
  void run_parts(const ConvFilterArgs<T>& args, int64_t chunk, void* workspace) const;
  void run_unit(const ConvFilterArgs<T>& args, const Unit& unit, const Visit& visit, Range panels,
                T* dw, bool accumulate) const;
  std::vector<Segment> segments(const Unit& unit, const Visit& visit) const;

  ConvShape shape_;
  const GemmKernels<T>* kernels_;
  int64_t depth_;  // input channels of a group
  int64_t cols_;   // output channels of a group
  int64_t panels_per_group_;
  bool over_images_ = false;
  std::vector<Unit> units_;
  int64_t images_at_once_ = 1;
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

}  // namespace addax::cpu
