#pragma once

#include <cstdint>

#include "cpu/isa/isa.h"

namespace addax::cpu {

// Softmax over rows of x [rows, cols], dense. `sums` are those of exp(x - max) over a row.
template <class T>
struct SoftmaxKernels {
  // e = exp(x - max), with the maximum and the sum of each row. cols > 0; e is not x: a row's store
  // would hold up the load of the next one.
  void (*exponentials)(const T* x, int64_t rows, int64_t cols, T* e, T* maxima, T* sums);
  // x = x * factor[row].
  void (*scale)(T* x, int64_t rows, int64_t cols, const T* factors);
  // x = x - offset[row].
  void (*shift)(T* x, int64_t rows, int64_t cols, const T* offsets);
};

template <class T>
const SoftmaxKernels<T>& softmax_kernels(Isa isa);

namespace portable {
extern const SoftmaxKernels<float> kSoftmaxF32;
extern const SoftmaxKernels<double> kSoftmaxF64;
}  // namespace portable
namespace avx2 {
extern const SoftmaxKernels<float> kSoftmaxF32;
extern const SoftmaxKernels<double> kSoftmaxF64;
}  // namespace avx2
namespace avx512 {
extern const SoftmaxKernels<float> kSoftmaxF32;
extern const SoftmaxKernels<double> kSoftmaxF64;
}  // namespace avx512

}  // namespace addax::cpu
