#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "cpu/gemm/ahead.h"
#include "cpu/gemm/contraction_types.h"
#include "cpu/isa/isa.h"

namespace addax::cpu {

enum class Activation { None, Relu };

// One term of a batch-reduce contraction: `k` steps beginning at these offsets.
struct Segment {
  int64_t a;
  int64_t b;
  int64_t k;
};

// What a block's sums begin with, C instead of zero (`accumulate`), and what happens to the
// finished ones, in this order: columns are multiplied by `scale`, the bias is added, the residual
// is added, the activation is applied, and elements whose `mask` element is not greater than zero
// become zero (the gradient of a ReLU that put out `mask`). Scale and bias have an element for each
// column, residual and mask lie as C does. Pointers are to the block's first element, null for
// none.
template <class R>
struct Finish {
  bool accumulate = false;
  const R* scale = nullptr;
  const R* bias = nullptr;
  const R* residual = nullptr;
  Activation activation = Activation::None;
  const R* mask = nullptr;

  // The same for a block whose first element lies `offset` elements of C further on, in the
  // `col`-th column from here.
  Finish at(int64_t offset, int64_t col) const {
    const auto moved = [](const R* p, int64_t by) { return p == nullptr ? nullptr : p + by; };
    return {accumulate, moved(scale, col),  moved(bias, col), moved(residual, offset),
            activation, moved(mask, offset)};
  }
};

// C[rows, cols] = finish(sum over segments s and k < s.k of A_s[row, k] * B_s[k, col]), where
// A_s[row, k] = a[s.a + row * a_row + k * a_k] and B_s[k, col] = b[s.b + k * b_k + col * b_col].
// Strides and offsets of A and B count factors, those of C its elements R, to which the finished
// sums are rounded. The order of the sum for one element of C depends on the segments alone, not on
// the block's shape nor, with `accumulate`, on how many blocks they are dealt out to, at every
// level but Portable and Amx.
template <class T, class R = T>
struct Block {
  const Factor<T>* a = nullptr;
  int64_t a_row = 0;
  int64_t a_k = 1;
  const Factor<T>* b = nullptr;
  int64_t b_k = 0;
  int64_t b_col = 1;
  const Segment* segments = nullptr;
  int64_t num_segments = 0;
  R* c = nullptr;
  int64_t c_row = 0;
  int64_t rows = 0;
  int64_t cols = 0;
  Finish<R> finish;
  Ahead* ahead = nullptr;  // fetched meanwhile, except at Portable and Amx
};

// A kernel that packs B[k, cols], of elements W, to out[ceil(k / depth)][packed_width(cols)]
// factors of `depth` elements each, with zeros in the columns and the elements of k beyond.
template <class T, class W>
using PackKernel = void (*)(const W* b, int64_t b_k, int64_t b_col, int64_t k, int64_t cols,
                            Factor<T>* out);

// A kernel that makes c[rows, cols] = finish(sum of `parts` buffers [rows, cols] that lie
// `part_stride` elements apart and have rows `part_row` elements apart), summed in order.
template <class T, class R>
using ReduceKernel = void (*)(const Sum<T>* parts, int64_t num_parts, int64_t part_stride,
                              int64_t part_row, R* c, int64_t c_row, int64_t rows, int64_t cols,
                              const Finish<R>& finish);

// Contraction kernels of one ISA level and element type. The `wide` ones put out sums as they are,
// or take weights of the sums' type, which they round to T; where T is its own sums' type they are
// the others.
template <class T>
struct GemmKernels {
  // Columns of the widest tile; a block's columns are best a multiple of it. Kernels with
  // `needs_unit_columns` take B only with b_col = 1: pack it otherwise.
  int64_t panel = 64;
  int64_t vector = 16;
  int64_t tile_rows = 6;
  bool needs_unit_columns = true;
  int64_t gather_bytes = 0;  // of Scratch::Gather that a block takes at most

  void (*block)(const Block<T>&) = nullptr;
  void (*block_wide)(const Block<T, Sum<T>>&) = nullptr;
  PackKernel<T, T> pack = nullptr;
  PackKernel<T, Sum<T>> pack_wide = nullptr;
  ReduceKernel<T, T> reduce = nullptr;
  ReduceKernel<T, Sum<T>> reduce_wide = nullptr;

  int64_t packed_width(int64_t cols) const { return (cols + vector - 1) / vector * vector; }
};

// The kernels of a level that the processor has. float64 has the portable ones at every level;
// bfloat16 has them from Avx512Bf16 on, as `has_bfloat16_kernels` tells.
template <class T>
const GemmKernels<T>& gemm_kernels(Isa isa);

constexpr bool has_bfloat16_kernels(Isa isa) { return isa >= Isa::Avx512Bf16; }

// The kernel that takes weights W or puts out R, each T or its sums' type.
template <class T, class W>
PackKernel<T, W> pack_kernel(const GemmKernels<T>& kernels) {
  if constexpr (std::is_same_v<T, W>) {
    return kernels.pack;
  } else {
    return kernels.pack_wide;
  }
}
template <class T, class R>
ReduceKernel<T, R> reduce_kernel(const GemmKernels<T>& kernels) {
  if constexpr (std::is_same_v<T, R>) {
    return kernels.reduce;
  } else {
    return kernels.reduce_wide;
  }
}

extern const GemmKernels<float> kGemmPortableF32;
extern const GemmKernels<double> kGemmPortableF64;
#if defined(__x86_64__)
extern const GemmKernels<float> kGemmAvx2;
extern const GemmKernels<float> kGemmAvx512;
extern const GemmKernels<BFloat16> kGemmAvx512Bf16;
const GemmKernels<BFloat16>& gemm_amx();
#endif

}  // namespace addax::cpu
