#pragma once

#include <cstdint>

#include "cpu/gemm_kernels.h"
#include "cpu/isa.h"

namespace addax::cpu {

// Where a tap's source pixel and its weights begin, in elements.
struct DepthwiseTap {
  int64_t source;
  int64_t weight;
};

// `count` neighbouring target pixels with the same taps; steps between pixels in elements.
struct DepthwiseRun {
  const DepthwiseTap* taps;
  int64_t num_taps;
  int64_t count;
  int64_t source_step;
  int64_t target_step;
  int64_t channels;
};

// Depthwise convolution of one ISA level and element type; i is a pixel of the run, c a channel.
template <class T>
struct DepthwiseKernels {
  // y[i][c] = finish(sum over taps of x[tap.source + i * source_step + c] * w[tap.weight + c]).
  void (*contract)(const DepthwiseRun& run, const T* x, const T* w, T* y, const Finish<T>& finish);

  // dw[c] += sum over i of x[i * source_step + c] * dy[i * target_step + c]; taps are not read.
  void (*correlate)(const DepthwiseRun& run, const T* x, const T* dy, T* dw);
};

template <class T>
const DepthwiseKernels<T>& depthwise_kernels(Isa isa);

namespace portable {
extern const DepthwiseKernels<float> kDepthwiseF32;
extern const DepthwiseKernels<double> kDepthwiseF64;
}  // namespace portable
namespace avx2 {
extern const DepthwiseKernels<float> kDepthwiseF32;
extern const DepthwiseKernels<double> kDepthwiseF64;
}  // namespace avx2
namespace avx512 {
extern const DepthwiseKernels<float> kDepthwiseF32;
extern const DepthwiseKernels<double> kDepthwiseF64;
}  // namespace avx512

}  // namespace addax::cpu
