#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cpu/conv/conv_axis.h"
#include "cpu/isa/isa.h"
#include "cpu/pool/pool_kernels.h"
#include "cpu/runtime/stages.h"

namespace addax::cpu {

// Pooling of x [batch, height.in, width.in, channels] to y [batch, height.out(), width.out(),
// channels], over windows of height.kernel x width.kernel pixels.
//   Max      the largest element of the window; NaN counts as largest
//   Average  the mean of the window's elements without padding
// A window that holds nothing but padding gives -infinity and 0.
enum class PoolKind { Max, Average };

struct PoolShape {
  int64_t batch = 1;
  ConvAxis height;
  ConvAxis width;
  int64_t channels = 1;
};

template <class T>
struct PoolArgs {
  const T* x = nullptr;
  T* y = nullptr;
  uint8_t* argmax = nullptr;  // or, of Max, as y: the position in the window, by rows, of the first
                              // maximum (the first NaN where there is one)
};

// Plans are made once for a shape and used from any number of threads (see Stage); they need no
// workspace.
template <class T>
class PoolPlan {
 public:
  PoolPlan(PoolKind kind, const PoolShape& shape, Isa isa = active_isa());
  const std::vector<Stage>& stages() const { return stages_; }
  std::size_t workspace_bytes() const { return 0; }
  void run(const PoolArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;

 private:
  PoolShape shape_;
  typename PoolKernels<T>::Forward forward_;
  typename PoolKernels<T>::Argmax argmax_;
  std::vector<AxisRun> rows_;
  std::vector<AxisRun> cols_;
  std::vector<Stage> stages_;
};

// The gradient of Max goes to the first maximum of the window in row-major order (the first NaN
// where there is one), which is told by `argmax`, else looked for in x. Average reads neither.
template <class T>
struct PoolGradArgs {
  const T* x = nullptr;
  const uint8_t* argmax = nullptr;
  const T* dy = nullptr;
  T* dx = nullptr;
};

template <class T>
class PoolGradPlan {
 public:
  PoolGradPlan(PoolKind kind, const PoolShape& shape, Isa isa = active_isa());
  const std::vector<Stage>& stages() const { return stages_; }
  std::size_t workspace_bytes() const { return 0; }
  void run(const PoolGradArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;

 private:
  void run_block(const PoolGradArgs<T>& args, int64_t image, Range channels) const;
  void clear(T* dx, Range rows, Range cols, int64_t channels) const;

  PoolShape shape_;
  int64_t tiled_rows_ = 0;  // of the input, met by exactly one window each; 0 where windows overlap
  int64_t tiled_cols_ = 0;
  typename PoolKernels<T>::Gradient gradient_;
  typename PoolKernels<T>::ArgmaxGradient argmax_gradient_;
  std::vector<AxisRun> rows_;
  std::vector<AxisRun> cols_;
  int64_t channel_blocks_ = 1;
  std::vector<Stage> stages_;
};

extern template class PoolPlan<float>;
extern template class PoolPlan<double>;
extern template class PoolGradPlan<float>;
extern template class PoolGradPlan<double>;

}  // namespace addax::cpu
