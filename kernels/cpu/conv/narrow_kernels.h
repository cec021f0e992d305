#pragma once

#include <cstdint>

#include "cpu/gemm/gemm_kernels.h"
#include "cpu/isa/isa.h"

namespace addax::cpu {

// Where a tap's source pixel and its weights begin, in elements.
struct NarrowTap {
  int64_t source;
  int64_t weight;
};

// `count` target pixels with the same taps; steps between pixels in elements. Channels lie in
// groups of `group`.
struct NarrowRun {
  const NarrowTap* taps;
  int64_t num_taps;
  int64_t count;
  int64_t source_step;
  int64_t target_step;
  int64_t channels;
  int64_t group;
};

// Convolution in groups that have as many channels on both sides, less than a vector holds: vectors
// run over the channels of several groups, so that no lane is idle. i is a pixel of the run, c a
// channel, first(c) the first channel of its group, d < run.group.
template <class T>
struct NarrowKernels {
  // Lanes of a vector.
  int64_t vector;

  // y[i][c] = finish(sum over taps and d of x[tap.source + i * source_step + first(c) + d] *
  // w[tap.weight + d * channels + c]).
  void (*contract)(const NarrowRun& run, const T* x, const T* w, T* y, const Finish<T>& finish);

  // dw[d * channels + c] += sum over i of x[i * source_step + first(c) + d] * dy[i * target_step +
  // c]; taps are not read.
  void (*correlate)(const NarrowRun& run, const T* x, const T* dy, T* dw);
};

template <class T>
const NarrowKernels<T>& narrow_kernels(Isa isa);

namespace portable {
extern const NarrowKernels<float> kNarrowF32;
extern const NarrowKernels<double> kNarrowF64;
}  // namespace portable
namespace avx2 {
extern const NarrowKernels<float> kNarrowF32;
extern const NarrowKernels<double> kNarrowF64;
}  // namespace avx2
namespace avx512 {
extern const NarrowKernels<float> kNarrowF32;
extern const NarrowKernels<double> kNarrowF64;
}  // namespace avx512

}  // namespace addax::cpu
