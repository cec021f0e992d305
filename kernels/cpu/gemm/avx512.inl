// What the contraction tiles of the AVX-512 levels share. Local to the file that includes it.
#pragma once

// GCC 12 takes the undefined pass-through operand of unmasked intrinsics for an uninitialised
// variable.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <immintrin.h>

#include <cstdint>

namespace addax::cpu {
namespace {

struct Avx512 {
  using V = __m512;
  using Lanes = __mmask16;
  static constexpr int kWidth = 16;
  static constexpr int kMaxVectors = 4;
  static constexpr int kAccumulators = 24;
  static constexpr bool kMasksAreFree = true;

  static V zero() { return _mm512_setzero_ps(); }
  static V load(const float* p) { return _mm512_loadu_ps(p); }
  static V load(const float* p, Lanes lanes) { return _mm512_maskz_loadu_ps(lanes, p); }
  static void store(float* p, V x) { _mm512_storeu_ps(p, x); }
  static void store(float* p, V x, Lanes lanes) { _mm512_mask_storeu_ps(p, lanes, x); }
  static V add(V x, V y) { return _mm512_add_ps(x, y); }
  static V multiply(V x, V y) { return _mm512_mul_ps(x, y); }

  // A NaN in the second operand of a maximum survives.
  static V relu(V x) { return _mm512_max_ps(_mm512_setzero_ps(), x); }
  static V where_positive(V z, V x) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(z, _mm512_setzero_ps(), _CMP_GT_OQ), x);
  }

  // The first `count` lanes, all of them from sixteen on.
  static Lanes first_lanes(int64_t count) {
    return static_cast<Lanes>(count >= kWidth ? 0xffff : (1 << count) - 1);
  }

  // Row j of `y` is column j of `x`, both 16x16: within 4x4 blocks first, then the blocks.
  static void transpose(__m512 (&x)[16], __m512 (&y)[16]) {
#pragma GCC unroll 8
    for (int r = 0; r < 16; r += 2) {
      y[r] = _mm512_unpacklo_ps(x[r], x[r + 1]);
      y[r + 1] = _mm512_unpackhi_ps(x[r], x[r + 1]);
    }
    const auto pairs = [](__m512 u, __m512 v, bool high) {
      const __m512d ud = _mm512_castps_pd(u), vd = _mm512_castps_pd(v);
      return _mm512_castpd_ps(high ? _mm512_unpackhi_pd(ud, vd) : _mm512_unpacklo_pd(ud, vd));
    };
#pragma GCC unroll 4
    for (int r = 0; r < 16; r += 4) {
      x[r] = pairs(y[r], y[r + 2], false);
      x[r + 1] = pairs(y[r], y[r + 2], true);
      x[r + 2] = pairs(y[r + 1], y[r + 3], false);
      x[r + 3] = pairs(y[r + 1], y[r + 3], true);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const __m512 even01 = _mm512_shuffle_f32x4(x[j], x[4 + j], 0x88);
      const __m512 odd01 = _mm512_shuffle_f32x4(x[j], x[4 + j], 0xdd);
      const __m512 even23 = _mm512_shuffle_f32x4(x[8 + j], x[12 + j], 0x88);
      const __m512 odd23 = _mm512_shuffle_f32x4(x[8 + j], x[12 + j], 0xdd);
      y[j] = _mm512_shuffle_f32x4(even01, even23, 0x88);
      y[8 + j] = _mm512_shuffle_f32x4(even01, even23, 0xdd);
      y[4 + j] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
      y[12 + j] = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
    }
  }
};

}  // namespace
}  // namespace addax::cpu
