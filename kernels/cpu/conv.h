#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/conv_axis.h"
#include "cpu/conv_taps.h"
#include "cpu/gemm_kernels.h"
#include "cpu/isa.h"
#include "cpu/stages.h"

namespace addax::cpu {

// A 2-D convolution (cross-correlation) of dense tensors:
//   x  [batch, height.in, width.in, in_channels]
//   w  [height.kernel, width.kernel, in_channels / groups, out_channels]
//   y  [batch, height.out(), width.out(), out_channels]
// Group g reads the g-th share of the input channels and writes the g-th share of the output
// channels; both counts are multiples of `groups`.
struct ConvShape {
  int64_t batch = 1;
  ConvAxis height;
  ConvAxis width;
  int64_t in_channels = 1;
  int64_t out_channels = 1;
  int64_t groups = 1;
};

// y = finish(conv(x, w)); bias has out_channels elements, mask lies as y does.
template <class T>
struct ConvForwardArgs {
  const T* x = nullptr;
  const T* w = nullptr;
  T* y = nullptr;
  const T* bias = nullptr;
  Activation activation = Activation::None;
  const T* mask = nullptr;
};

// dx = gradient by the input, added to dx when `accumulate`, then zero where `mask`, which lies as
// x does, is not greater than zero.
template <class T>
struct ConvDataArgs {
  const T* dy = nullptr;
  const T* w = nullptr;
  T* dx = nullptr;
  bool accumulate = false;
  const T* mask = nullptr;
};

// dw = gradient by the weights, added to dw when `accumulate`.
template <class T>
struct ConvFilterArgs {
  const T* x = nullptr;
  const T* dy = nullptr;
  T* dw = nullptr;
  bool accumulate = false;
};

// Each plan is made once for a shape and used from any number of threads: stages in order, the
// chunks of a stage in any order on any thread, one workspace for all (see Stage).
template <class T>
class ConvForwardPlan {
 public:
  explicit ConvForwardPlan(const ConvShape& shape, Isa isa = active_isa());
  const std::vector<Stage>& stages() const { return contraction_.stages(); }
  std::size_t workspace_bytes() const { return contraction_.workspace_bytes(); }
  double flops() const { return contraction_.flops(); }
  void run(const ConvForwardArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;

 private:
  TapContraction<T> contraction_;
};

template <class T>
class ConvDataPlan {
 public:
  explicit ConvDataPlan(const ConvShape& shape, Isa isa = active_isa());
  const std::vector<Stage>& stages() const { return contraction_.stages(); }
  std::size_t workspace_bytes() const { return contraction_.workspace_bytes(); }
  double flops() const { return contraction_.flops(); }
  void run(const ConvDataArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;

 private:
  TapContraction<T> contraction_;
};

// The batch is cut into parts fixed by the shape, each with a partial dw of its own, summed in
// order.
template <class T>
class ConvFilterPlan {
 public:
  explicit ConvFilterPlan(const ConvShape& shape, Isa isa = active_isa());
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

extern template class ConvForwardPlan<float>;
extern template class ConvForwardPlan<double>;
extern template class ConvDataPlan<float>;
extern template class ConvDataPlan<double>;
extern template class ConvFilterPlan<float>;
extern template class ConvFilterPlan<double>;

}  // namespace addax::cpu
