// Contraction tiles in AVX2: up to 6x16 or 12x8, always 12 accumulators at most.
#include <immintrin.h>

#include <array>
#include <utility>

#include "cpu/gemm_kernels.h"

namespace addax::cpu {
namespace {

constexpr int kVector = 8;
constexpr int kMaxVectors = 2;
constexpr int kAccumulators = 12;

constexpr int max_rows(int vectors) { return kAccumulators / vectors; }

// The first `count` lanes, all of them from eight on.
__m256i first_lanes(int64_t count) {
  const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count < kVector ? static_cast<int>(count) : kVector),
                            index);
}

template <bool kMasked>
__m256 load(const float* p, __m256i lanes) {
  return kMasked ? _mm256_maskload_ps(p, lanes) : _mm256_loadu_ps(p);
}

template <bool kMasked>
void store(float* p, __m256i lanes, __m256 x) {
  if constexpr (kMasked) {
    _mm256_maskstore_ps(p, lanes, x);
  } else {
    _mm256_storeu_ps(p, x);
  }
}

// A NaN in the second operand of a maximum survives.
__m256 relu(__m256 x) { return _mm256_max_ps(_mm256_setzero_ps(), x); }

__m256 where_positive(__m256 z, __m256 x) {
  return _mm256_and_ps(_mm256_cmp_ps(z, _mm256_setzero_ps(), _CMP_GT_OQ), x);
}

struct Tile {
  const Block<float>* block;
  int64_t row;
  int64_t col;
  __m256i tail;  // lanes of the last vector
};

template <int kRows, int kVectors, bool kMasked>
void tile(const Tile& t) {
  const Block<float>& block = *t.block;
  const int64_t a_row = block.a_row, a_k = block.a_k, b_k = block.b_k;
  const __m256i tail = t.tail;
  constexpr int kLast = kVectors - 1;
  __m256 acc[kRows][kVectors];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) acc[r][v] = _mm256_setzero_ps();
  }

  // One pointer for three rows keeps the addresses in registers.
  constexpr int kGroups = (kRows + 2) / 3;
  for (int64_t s = 0; s < block.num_segments; ++s) {
    const Segment& segment = block.segments[s];
    const float* b = block.b + segment.b + t.col;
    const float* a[kGroups];
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) a[g] = block.a + segment.a + (t.row + 3 * g) * a_row;
    for (int64_t k = segment.k; k > 0; --k) {
      __m256 bv[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kLast; ++v) bv[v] = _mm256_loadu_ps(b + v * kVector);
      bv[kLast] = load<kMasked>(b + kLast * kVector, tail);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) {
        const __m256 av = _mm256_broadcast_ss(a[r / 3] + (r % 3) * a_row);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) acc[r][v] = _mm256_fmadd_ps(av, bv[v], acc[r][v]);
      }
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; ++g) a[g] += a_k;
      b += b_k;
    }
  }

  const Finish<float>& finish = block.finish;
  const auto lane_load = [&](const float* p, int v) {
    return v == kLast ? load<kMasked>(p + v * kVector, tail) : _mm256_loadu_ps(p + v * kVector);
  };
  float* c = block.c + t.row * block.c_row + t.col;
  if (finish.accumulate) {
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        acc[r][v] = _mm256_add_ps(lane_load(c + r * block.c_row, v), acc[r][v]);
      }
    }
  }
  if (finish.bias != nullptr) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      const __m256 bias = lane_load(finish.bias + t.col, v);
#pragma GCC unroll 12
      for (int r = 0; r < kRows; ++r) acc[r][v] = _mm256_add_ps(acc[r][v], bias);
    }
  }
  if (finish.activation == Activation::Relu) {
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) acc[r][v] = relu(acc[r][v]);
    }
  }
  if (finish.mask != nullptr) {
    const float* mask = finish.mask + t.row * finish.mask_row + t.col;
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        acc[r][v] = where_positive(lane_load(mask + r * finish.mask_row, v), acc[r][v]);
      }
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kLast; ++v) {
      _mm256_storeu_ps(c + r * block.c_row + v * kVector, acc[r][v]);
    }
    store<kMasked>(c + r * block.c_row + kLast * kVector, tail, acc[r][kLast]);
  }
}

using TileFn = void (*)(const Tile&);

template <int kVectors, bool kMasked, int... kRows>
constexpr std::array<TileFn, sizeof...(kRows)> tiles_of(std::integer_sequence<int, kRows...>) {
  return {tile<kRows + 1, kVectors, kMasked>...};
}

template <int kVectors, bool kMasked>
constexpr auto kTiles =
    tiles_of<kVectors, kMasked>(std::make_integer_sequence<int, max_rows(kVectors)>());

constexpr const TileFn* kTileTable[2][kMaxVectors] = {
    {kTiles<1, false>.data(), kTiles<2, false>.data()},
    {kTiles<1, true>.data(), kTiles<2, true>.data()}};

void block(const Block<float>& block) {
  for (int64_t col = 0; col < block.cols; col += kMaxVectors * kVector) {
    const int64_t left = block.cols - col;
    const int vectors = left > kVector ? 2 : 1;
    const int64_t last = left - (vectors - 1) * kVector;
    const TileFn* tiles_by_rows = kTileTable[last < kVector][vectors - 1];
    const int64_t tiles = (block.rows + max_rows(vectors) - 1) / max_rows(vectors);
    for (int64_t i = 0, row = 0; i < tiles; ++i) {
      const int64_t end = block.rows * (i + 1) / tiles;
      tiles_by_rows[end - row - 1]({&block, row, col, first_lanes(last)});
      row = end;
    }
  }
}

// out[j][i] = in[i][j] for an 8x8 block, of which `rows` rows and `cols` columns are read (the rest
// counts as zero) and `cols` rows are written.
void transpose(const float* in, int64_t in_row, int64_t rows, int64_t cols, float* out,
               int64_t out_row) {
  const __m256i lanes = first_lanes(cols);
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

void pack(const float* b, int64_t b_k, int64_t b_col, int64_t k, int64_t cols, float* out) {
  const int64_t width = (cols + kVector - 1) / kVector * kVector;
  for (int64_t col = 0; col < cols; col += kVector) {
    const int64_t left = cols - col < kVector ? cols - col : kVector;
    if (b_col == 1) {
      const __m256i lanes = first_lanes(left);
      for (int64_t i = 0; i < k; ++i) {
        _mm256_storeu_ps(out + i * width + col, _mm256_maskload_ps(b + i * b_k + col, lanes));
      }
    } else if (b_k == 1) {
      for (int64_t i = 0; i < k; i += kVector) {
        const int64_t depth = k - i < kVector ? k - i : kVector;
        transpose(b + col * b_col + i, b_col, left, depth, out + i * width + col, width);
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
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t col = 0; col < cols; col += kVector) {
      const __m256i lanes = first_lanes(cols - col);
      const float* part = parts + row * part_row + col;
      float* target = c + row * c_row + col;
      __m256 sum = _mm256_maskload_ps(part, lanes);
      for (int64_t i = 1; i < num_parts; ++i) {
        sum = _mm256_add_ps(sum, _mm256_maskload_ps(part + i * part_stride, lanes));
      }
      if (finish.accumulate) sum = _mm256_add_ps(_mm256_maskload_ps(target, lanes), sum);
      if (finish.bias != nullptr) {
        sum = _mm256_add_ps(sum, _mm256_maskload_ps(finish.bias + col, lanes));
      }
      if (finish.activation == Activation::Relu) sum = relu(sum);
      if (finish.mask != nullptr) {
        const float* mask = finish.mask + row * finish.mask_row + col;
        sum = where_positive(_mm256_maskload_ps(mask, lanes), sum);
      }
      _mm256_maskstore_ps(target, lanes, sum);
    }
  }
}

}  // namespace

const GemmKernels<float> kGemmAvx2 = {
    .panel = kMaxVectors * kVector,
    .vector = kVector,
    .tile_rows = max_rows(kMaxVectors),
    .needs_unit_columns = true,
    .block = block,
    .pack = pack,
    .reduce = reduce,
};

}  // namespace addax::cpu
