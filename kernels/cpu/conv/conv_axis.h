#pragma once

#include <cstdint>
#include <vector>

#include "cpu/runtime/stages.h"

namespace addax::cpu {

// One spatial axis of a convolution.
struct ConvAxis {
  int64_t in = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad_before = 0;
  int64_t pad_after = 0;

  // Number of kernel positions, 0 where the dilated kernel is longer than the padded input.
  int64_t out() const {
    const int64_t room = in + pad_before + pad_after - dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
  }
};

// A kernel tap and the source position that it meets.
struct AxisTap {
  int64_t tap;
  int64_t source;
};

// Target positions `first + i * step` for i < count. Position i is the sum over `taps` of
// weight[tap] times source position tap.source + i * source_step; taps that meet padding are left
// out.
struct AxisRun {
  int64_t first = 0;
  int64_t step = 1;
  int64_t count = 1;
  int64_t source_step = 1;
  std::vector<AxisTap> taps;
};

// Every target position exactly once, for the forward convolution (input to output) or its gradient
// by data (output gradient to input gradient). With `merge` neighbours that differ only by a
// constant step are one run, otherwise every position is a run of its own.
std::vector<AxisRun> forward_runs(const ConvAxis& axis, bool merge);
std::vector<AxisRun> data_runs(const ConvAxis& axis, bool merge);

// Output positions at which a tap meets the input and not padding, as [begin, end).
Range tap_reach(const ConvAxis& axis, int64_t tap);

}  // namespace addax::cpu
