#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa.h"

namespace addax::cpu {

enum class Activation { None, Relu };

// One term of a batch-reduce contraction: `k` steps beginning at these element offsets.
struct Segment {
  int64_t a;
  int64_t b;
  int64_t k;
};

// What happens to a finished block, in this order: C is added (`accumulate`), the bias is added,
// the activation is applied, and elements whose `mask` element is not greater than zero become zero
// (the gradient of a ReLU that put out `mask`). Pointers are to the block's first element, null for
// none.
template <class T>
struct Finish {
  bool accumulate = false;
  const T* bias = nullptr;
  Activation activation = Activation::None;
  const T* mask = nullptr;
  int64_t mask_row = 0;
};

// C[rows, cols] = finish(sum over segments s and k < s.k of A_s[row, k] * B_s[k, col]), where
// A_s[row, k] = a[s.a + row * a_row + k * a_k] and B_s[k, col] = b[s.b + k * b_k + col * b_col].
// All strides are in elements. The order of the sum for one element of C depends on the segments
// alone, not on the block's shape, at every level but Portable.
template <class T>
struct Block {
  const T* a = nullptr;
  int64_t a_row = 0;
  int64_t a_k = 1;
  const T* b = nullptr;
  int64_t b_k = 0;
  int64_t b_col = 1;
  const Segment* segments = nullptr;
  int64_t num_segments = 0;
  T* c = nullptr;
  int64_t c_row = 0;
  int64_t rows = 0;
  int64_t cols = 0;
  Finish<T> finish;
};

// Contraction kernels of one ISA level and element type.
template <class T>
struct GemmKernels {
  // Columns of the widest tile; a block's columns are best a multiple of it. Kernels with
  // `needs_unit_columns` take B only with b_col = 1: pack it otherwise.
  int64_t panel = 64;
  int64_t vector = 16;
  int64_t tile_rows = 6;
  bool needs_unit_columns = true;

  void (*block)(const Block<T>&) = nullptr;

  // Copies B[k, cols], cols <= panel, to out[k][packed_width(cols)], with zeros in the columns
  // beyond.
  void (*pack)(const T* b, int64_t b_k, int64_t b_col, int64_t k, int64_t cols, T* out) = nullptr;

  // c[rows, cols] = finish(sum of `parts` buffers [rows, cols] that lie `part_stride` elements
  // apart and have rows `part_row` elements apart), summed in order.
  void (*reduce)(const T* parts, int64_t num_parts, int64_t part_stride, int64_t part_row, T* c,
                 int64_t c_row, int64_t rows, int64_t cols, const Finish<T>& finish) = nullptr;

  int64_t packed_width(int64_t cols) const { return (cols + vector - 1) / vector * vector; }
};

// The kernels of a level that the processor has; float64 has the portable ones at every level.
template <class T>
const GemmKernels<T>& gemm_kernels(Isa isa);

extern const GemmKernels<float> kGemmPortableF32;
extern const GemmKernels<double> kGemmPortableF64;
#if defined(__x86_64__)
extern const GemmKernels<float> kGemmAvx2;
extern const GemmKernels<float> kGemmAvx512;
#endif

}  // namespace addax::cpu
