// Contraction tiles in AVX2: up to 6x16 or 12x8.
#include <immintrin.h>

#include <cstdint>

namespace addax::cpu {
namespace {

struct Simd {
  using Value = float;
  using V = __m256;
  using O = __m256;
  using Lanes = __m256i;
  static constexpr int kWidth = 8;
  static constexpr int kMaxVectors = 2;
  static constexpr int kAccumulators = 12;
  static constexpr bool kMasksAreFree = false;

  static V zero() { return _mm256_setzero_ps(); }
  static V load(const float* p) { return _mm256_loadu_ps(p); }
  static V load(const float* p, Lanes lanes) { return _mm256_maskload_ps(p, lanes); }
  static void store(float* p, V x) { _mm256_storeu_ps(p, x); }
  static void store(float* p, V x, Lanes lanes) { _mm256_maskstore_ps(p, lanes, x); }
  static O factors(const float* p) { return load(p); }
  static O factors(const float* p, Lanes lanes) { return load(p, lanes); }
  static O broadcast(const float* p) { return _mm256_broadcast_ss(p); }
  static V add(V x, V y) { return _mm256_add_ps(x, y); }
  static V multiply(V x, V y) { return _mm256_mul_ps(x, y); }
  static V multiply_add(V x, V y, V z) { return _mm256_fmadd_ps(x, y, z); }

  // A NaN in the second operand of a maximum survives.
  static V relu(V x) { return _mm256_max_ps(_mm256_setzero_ps(), x); }
  static V where_positive(V z, V x) {
    return _mm256_and_ps(_mm256_cmp_ps(z, _mm256_setzero_ps(), _CMP_GT_OQ), x);
  }

  // The first `count` lanes, all of them from eight on.
  static Lanes first_lanes(int64_t count) {
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count < kWidth ? static_cast<int>(count) : kWidth),
                              index);
  }

  static void store_rows(const float* p, int64_t, int64_t, Lanes lanes, float* out) {
    store(out, load(p, lanes));
  }
  static float gather(const float* p, int64_t, int64_t count) { return count > 0 ? *p : 0.0f; }

  // out[j][i] = in[i][j] for an 8x8 block, of which `rows` rows and `cols` columns are read (the
  // rest counts as zero) and `cols` rows are written.
  static void transpose(const float* in, int64_t in_row, int64_t rows, int64_t cols, float* out,
                        int64_t out_row) {
    const Lanes lanes = first_lanes(cols);
    __m256 x[8], y[8];
#pragma GCC unroll 8
    for (int r = 0; r < 8; ++r) {
      x[r] = r < rows ? _mm256_maskload_ps(in + r * in_row, lanes) : _mm256_setzero_ps();
    }
#pragma GCC unroll 4
    for (int r = 0; r < 8; r += 2) {
      y[r] = _mm256_unpacklo_ps(x[r], x[r + 1]);
      y[r + 1] = _mm256_unpackhi_ps(x[r], x[r + 1]);
    }
#pragma GCC unroll 2
    for (int r = 0; r < 8; r += 4) {
      x[r] = _mm256_shuffle_ps(y[r], y[r + 2], 0x44);
      x[r + 1] = _mm256_shuffle_ps(y[r], y[r + 2], 0xee);
      x[r + 2] = _mm256_shuffle_ps(y[r + 1], y[r + 3], 0x44);
      x[r + 3] = _mm256_shuffle_ps(y[r + 1], y[r + 3], 0xee);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      y[j] = _mm256_permute2f128_ps(x[j], x[4 + j], 0x20);
      y[4 + j] = _mm256_permute2f128_ps(x[j], x[4 + j], 0x31);
    }
#pragma GCC unroll 8
    for (int r = 0; r < 8; ++r) {
      if (r < cols) _mm256_storeu_ps(out + r * out_row, y[r]);
    }
  }
};

}  // namespace
}  // namespace addax::cpu

#include "cpu/gemm/gemm_tile.inl"

namespace addax::cpu {

const GemmKernels<float> kGemmAvx2 = kKernels;

}  // namespace addax::cpu
