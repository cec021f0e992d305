// Contraction tiles in AVX-512: up to 6x64, 8x48, 12x32 or 24x16, always 24 accumulators at most.
//
// GCC 12 takes the undefined pass-through operand of unmasked intrinsics for an uninitialised
// variable.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <immintrin.h>

#include <array>
#include <utility>

#include "cpu/gemm_kernels.h"

namespace addax::cpu {
namespace {

constexpr int kVector = 16;
constexpr int kMaxVectors = 4;
constexpr int kAccumulators = 24;

constexpr int max_rows(int vectors) { return kAccumulators / vectors; }

struct Tile {
  const Block<float>* block;
  int64_t row;
  int64_t col;
  __mmask16 tail;  // lanes of the last vector
};

template <int kRows, int kVectors>
void tile(const Tile& t) {
  const Block<float>& block = *t.block;
  const int64_t a_row = block.a_row, a_k = block.a_k, b_k = block.b_k;
  __m512 acc[kRows][kVectors];
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) acc[r][v] = _mm512_setzero_ps();
  }

  // One pointer for three rows keeps the addresses in registers.
  constexpr int kGroups = (kRows + 2) / 3;
  for (int64_t s = 0; s < block.num_segments; ++s) {
    const Segment& segment = block.segments[s];
    const float* b = block.b + segment.b + t.col;
    const float* a[kGroups];
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) a[g] = block.a + segment.a + (t.row + 3 * g) * a_row;
    for (int64_t k = segment.k; k > 0; --k) {
      __m512 bv[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors - 1; ++v) bv[v] = _mm512_loadu_ps(b + v * kVector);
      bv[kVectors - 1] = _mm512_maskz_loadu_ps(t.tail, b + (kVectors - 1) * kVector);
#pragma GCC unroll 24
      for (int r = 0; r < kRows; ++r) {
        const __m512 av = _mm512_set1_ps(a[r / 3][(r % 3) * a_row]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) acc[r][v] = _mm512_fmadd_ps(av, bv[v], acc[r][v]);
      }
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; ++g) a[g] += a_k;
      b += b_k;
    }
  }

  const Finish<float>& finish = block.finish;
  const auto lanes = [&](int v) {
    return v == kVectors - 1 ? t.tail : static_cast<__mmask16>(0xffff);
  };
  float* c = block.c + t.row * block.c_row + t.col;
  if (finish.accumulate) {
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const float* old = c + r * block.c_row + v * kVector;
        acc[r][v] = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes(v), old), acc[r][v]);
      }
    }
  }
  if (finish.bias != nullptr) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const __m512 bias = _mm512_maskz_loadu_ps(lanes(v), finish.bias + t.col + v * kVector);
#pragma GCC unroll 24
      for (int r = 0; r < kRows; ++r) acc[r][v] = _mm512_add_ps(acc[r][v], bias);
    }
  }
  if (finish.activation == Activation::Relu) {
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      // A NaN in the second operand survives.
      for (int v = 0; v < kVectors; ++v) acc[r][v] = _mm512_max_ps(_mm512_setzero_ps(), acc[r][v]);
    }
  }
  if (finish.mask != nullptr) {
    const float* mask = finish.mask + t.row * finish.mask_row + t.col;
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const __m512 z = _mm512_maskz_loadu_ps(lanes(v), mask + r * finish.mask_row + v * kVector);
        const __mmask16 keep = _mm512_cmp_ps_mask(z, _mm512_setzero_ps(), _CMP_GT_OQ);
        acc[r][v] = _mm512_maskz_mov_ps(keep, acc[r][v]);
      }
    }
  }
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors - 1; ++v) {
      _mm512_storeu_ps(c + r * block.c_row + v * kVector, acc[r][v]);
    }
    _mm512_mask_storeu_ps(c + r * block.c_row + (kVectors - 1) * kVector, t.tail,
                          acc[r][kVectors - 1]);
  }
}

using TileFn = void (*)(const Tile&);

template <int kVectors, int... kRows>
constexpr std::array<TileFn, sizeof...(kRows)> tiles_of(std::integer_sequence<int, kRows...>) {
  return {tile<kRows + 1, kVectors>...};
}

template <int kVectors>
constexpr auto kTiles = tiles_of<kVectors>(std::make_integer_sequence<int, max_rows(kVectors)>());

constexpr const TileFn* kTileTable[kMaxVectors] = {kTiles<1>.data(), kTiles<2>.data(),
                                                   kTiles<3>.data(), kTiles<4>.data()};

void block(const Block<float>& block) {
  for (int64_t col = 0; col < block.cols; col += kMaxVectors * kVector) {
    const int64_t left = block.cols - col;
    const int vectors = left >= kMaxVectors * kVector
                            ? kMaxVectors
                            : static_cast<int>((left + kVector - 1) / kVector);
    const int64_t last = left - (vectors - 1) * kVector;
    const auto tail = static_cast<__mmask16>(last >= kVector ? 0xffff : (1 << last) - 1);
    const int64_t tiles = (block.rows + max_rows(vectors) - 1) / max_rows(vectors);
    for (int64_t i = 0, row = 0; i < tiles; ++i) {
      const int64_t end = block.rows * (i + 1) / tiles;
      kTileTable[vectors - 1][end - row - 1]({&block, row, col, tail});
      row = end;
    }
  }
}

// out[j][i] = in[i][j] for a 16x16 block, of which `rows` rows and `lanes` columns are read (the
// rest counts as zero) and `out_rows` rows are written: within 4x4 blocks first, then the blocks.
void transpose(const float* in, int64_t in_row, __mmask16 lanes, int64_t rows, float* out,
               int64_t out_row, int64_t out_rows) {
  __m512 x[16], y[16];
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) {
    x[r] = r < rows ? _mm512_maskz_loadu_ps(lanes, in + r * in_row) : _mm512_setzero_ps();
  }
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
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) {
    if (r < out_rows) _mm512_storeu_ps(out + r * out_row, y[r]);
  }
}

void pack(const float* b, int64_t b_k, int64_t b_col, int64_t k, int64_t cols, float* out) {
  const int64_t width = (cols + kVector - 1) / kVector * kVector;
  for (int64_t col = 0; col < cols; col += kVector) {
    const int64_t left = cols - col < kVector ? cols - col : kVector;
    const auto lanes = static_cast<__mmask16>((1 << left) - 1);
    if (b_col == 1) {
      for (int64_t i = 0; i < k; ++i) {
        _mm512_storeu_ps(out + i * width + col, _mm512_maskz_loadu_ps(lanes, b + i * b_k + col));
      }
    } else if (b_k == 1) {
      for (int64_t i = 0; i < k; i += kVector) {
        const int64_t depth = k - i < kVector ? k - i : kVector;
        const auto steps = static_cast<__mmask16>((1 << depth) - 1);
        transpose(b + col * b_col + i, b_col, steps, left, out + i * width + col, width, depth);
      }
    } else {
      for (int64_t i = 0; i < k; ++i) {
        for (int64_t j = 0; j < kVector; ++j) {
          out[i * width + col + j] = j < left ? b[i * b_k + (col + j) * b_col] : 0.0f;
        }
      }
    }
  }
}

void reduce(const float* parts, int64_t num_parts, int64_t part_stride, int64_t part_row, float* c,
            int64_t c_row, int64_t rows, int64_t cols, const Finish<float>& finish) {
  const __m512 zero = _mm512_setzero_ps();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t col = 0; col < cols; col += kVector) {
      const int64_t left = cols - col;
      const auto lanes = static_cast<__mmask16>(left >= kVector ? 0xffff : (1 << left) - 1);
      const float* part = parts + row * part_row + col;
      float* target = c + row * c_row + col;
      __m512 sum = _mm512_maskz_loadu_ps(lanes, part);
      for (int64_t i = 1; i < num_parts; ++i) {
        sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(lanes, part + i * part_stride));
      }
      if (finish.accumulate) sum = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, target), sum);
      if (finish.bias != nullptr) {
        sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(lanes, finish.bias + col));
      }
      if (finish.activation == Activation::Relu) sum = _mm512_max_ps(zero, sum);
      if (finish.mask != nullptr) {
        const __m512 z = _mm512_maskz_loadu_ps(lanes, finish.mask + row * finish.mask_row + col);
        sum = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(z, zero, _CMP_GT_OQ), sum);
      }
      _mm512_mask_storeu_ps(target, lanes, sum);
    }
  }
}

}  // namespace

const GemmKernels<float> kGemmAvx512 = {
    .panel = kMaxVectors * kVector,
    .vector = kVector,
    .tile_rows = max_rows(kMaxVectors),
    .needs_unit_columns = true,
    .block = block,
    .pack = pack,
    .reduce = reduce,
};

}  // namespace addax::cpu
