// Contraction tiles in AVX-512: up to 6x64, 8x48, 12x32 or 24x16.
#include "cpu/gemm/avx512.inl"

namespace addax::cpu {
namespace {

struct Simd : Avx512 {
  using Value = float;
  using O = __m512;

  static O factors(const float* p) { return load(p); }
  static O factors(const float* p, Lanes lanes) { return load(p, lanes); }
  static O broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static V multiply_add(O x, O y, V z) { return _mm512_fmadd_ps(x, y, z); }

  static void store_rows(const float* p, int64_t, int64_t, Lanes lanes, float* out) {
    store(out, load(p, lanes));
  }
  static float gather(const float* p, int64_t, int64_t count) { return count > 0 ? *p : 0.0f; }

  // out[j][i] = in[i][j] for a 16x16 block, of which `rows` rows and `cols` columns are read (the
  // rest counts as zero) and `cols` rows are written.
  static void transpose(const float* in, int64_t in_row, int64_t rows, int64_t cols, float* out,
                        int64_t out_row) {
    const Lanes lanes = first_lanes(cols);
    __m512 x[16], y[16];
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
      x[r] = r < rows ? load(in + r * in_row, lanes) : zero();
    }
    Avx512::transpose(x, y);
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
      if (r < cols) store(out + r * out_row, y[r]);
    }
  }
};

}  // namespace
}  // namespace addax::cpu

#include "cpu/gemm/gemm_tile.inl"

namespace addax::cpu {

const GemmKernels<float> kGemmAvx512 = kKernels;

}  // namespace addax::cpu
