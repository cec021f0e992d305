#pragma once

#include <cstdint>

#include "cpu/isa/isa.h"

namespace addax::cpu {

// `count` neighbouring windows of one row. Window i reads or writes, for each tap t, the channels
// that begin at source + offsets[t] + i * source_step; its output begins i * target_step after
// `target`. positions[t] is the tap's number in its window, by rows and with padding counted.
struct PoolRun {
  const int64_t* offsets;
  const int32_t* positions;
  int64_t taps;
  int64_t count;
  int64_t source_step;
  int64_t target_step;
  int64_t channels;
};

// Pooling kernels of one ISA level and element type.
template <class T>
struct PoolKernels {
  using Forward = void (*)(const PoolRun& run, const T* x, T* y);
  using Argmax = void (*)(const PoolRun& run, const T* x, T* y, uint8_t* argmax);
  using Gradient = void (*)(const PoolRun& run, const T* x, const T* dy, T* dx);

  // Of windows that may overlap, adding to dx, or of windows apart from each other, overwriting it.
  struct Gradients {
    Gradient overlapping;
    Gradient apart;
  };

  // Of windows by the position of their maximum.
  using ArgmaxGradient = void (*)(const PoolRun& run, const uint8_t* argmax, const T* dy, T* dx);
  struct ArgmaxGradients {
    ArgmaxGradient overlapping;
    ArgmaxGradient apart;
  };

  Forward max;
  Argmax max_argmax;
  Forward average;
  Gradients max_gradient;
  ArgmaxGradients argmax_gradient;
  Gradients average_gradient;  // x is not read
};

template <class T>
const PoolKernels<T>& pool_kernels(Isa isa);

extern const PoolKernels<float> kPoolPortableF32;
extern const PoolKernels<double> kPoolPortableF64;
#if defined(__x86_64__)
extern const PoolKernels<float> kPoolAvx2F32;
extern const PoolKernels<double> kPoolAvx2F64;
extern const PoolKernels<float> kPoolAvx512F32;
extern const PoolKernels<double> kPoolAvx512F64;
#endif

}  // namespace addax::cpu
