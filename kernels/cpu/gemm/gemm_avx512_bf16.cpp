// Contraction tiles of bfloat16 pairs in AVX-512: as many rows and columns as in float32.
#include "core/float16.h"
#include "cpu/gemm/avx512.inl"
#include "cpu/gemm/contraction_types.h"

namespace addax::cpu {
namespace {

struct Simd : Avx512 {
  using Value = BFloat16;
  using O = __m512bh;

  using Avx512::load;
  using Avx512::store;
  static V load(const BFloat16* p) { return load(p, 0xffff); }
  static V load(const BFloat16* p, Lanes lanes) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
  }
  static void store(BFloat16* p, V x) { store(p, x, 0xffff); }
  static void store(BFloat16* p, V x, Lanes lanes) {
    _mm256_mask_storeu_epi16(p, lanes, rounded(x));
  }

  static O factors(const BFloat16Pair* p) { return bits(_mm512_loadu_si512(p)); }
  static O factors(const BFloat16Pair* p, Lanes lanes) {
    return bits(_mm512_maskz_loadu_epi32(lanes, p));
  }
  static O broadcast(const BFloat16Pair* p) {
    return bits(_mm512_set1_epi32(__builtin_bit_cast(int32_t, *p)));
  }
  static V multiply_add(O x, O y, V z) { return _mm512_dpbf16_ps(z, x, y); }

  // One row of pairs from `count` (one or two) rows of elements.
  template <class W>
  static void store_rows(const W* p, int64_t row, int64_t count, Lanes lanes, BFloat16Pair* out) {
    const __m512i first = _mm512_cvtepu16_epi32(elements(p, lanes));
    if (count == 1) {
      _mm512_storeu_si512(out, first);
      return;
    }
    const __m512i second = _mm512_cvtepu16_epi32(elements(p + row, lanes));
    _mm512_storeu_si512(out, _mm512_or_si512(first, _mm512_slli_epi32(second, 16)));
  }
  template <class W>
  static BFloat16Pair gather(const W* p, int64_t step, int64_t count) {
    return {count > 0 ? element(p[0]) : BFloat16{0}, count > 1 ? element(p[step]) : BFloat16{0}};
  }

  // out[j][i] = elements 2j and 2j + 1 of row i, for 16 rows of 32 elements, of which `rows` rows
  // and `cols` columns are read (the rest counts as zero); ceil(cols / 2) rows are written.
  template <class W>
  static void transpose(const W* in, int64_t in_row, int64_t rows, int64_t cols, BFloat16Pair* out,
                        int64_t out_row) {
    __m512 x[16], y[16];
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
      x[r] = r < rows ? _mm512_castsi512_ps(consecutive(in + r * in_row, cols)) : zero();
    }
    Avx512::transpose(x, y);
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
      if (2 * r < cols) _mm512_storeu_ps(out + r * out_row, y[r]);
    }
  }

 private:
  static O bits(__m512i x) { return reinterpret_cast<O>(x); }
  static __m256i rounded(V x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)); }

  static __m256i elements(const BFloat16* p, Lanes lanes) {
    return _mm256_maskz_loadu_epi16(lanes, p);
  }
  static __m256i elements(const float* p, Lanes lanes) { return rounded(load(p, lanes)); }

  static BFloat16 element(BFloat16 x) { return x; }
  static BFloat16 element(float x) { return {float_to_bfloat16(x)}; }

  // `count` elements, at most 32, that follow each other.
  static __m512i consecutive(const BFloat16* p, int64_t count) {
    const uint32_t lanes = count >= 32 ? ~uint32_t{0} : (uint32_t{1} << count) - 1;
    return _mm512_maskz_loadu_epi16(lanes, p);
  }
  static __m512i consecutive(const float* p, int64_t count) {
    const V low = load(p, first_lanes(count));
    const V high = count > kWidth ? load(p + kWidth, first_lanes(count - kWidth)) : zero();
    return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
  }
};

}  // namespace
}  // namespace addax::cpu

#include "cpu/gemm/gemm_tile.inl"

namespace addax::cpu {

const GemmKernels<BFloat16> kGemmAvx512Bf16 = kKernels;

}  // namespace addax::cpu
