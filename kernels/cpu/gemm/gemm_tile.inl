// Contraction tiles of one ISA level and element type, written in terms of `Simd`, which the file
// that includes this one defines before: the element type `Value`, a type V of kWidth sums, a type
// O of as many factors, Lanes that choose the first few of them, and the operations below. A tile
// has at most kMaxVectors vectors of columns and as many rows as kAccumulators registers allow.
// Everything is local to that file.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "cpu/gemm/gemm_kernels.h"

namespace addax::cpu {
namespace {

using Value = Simd::Value;
using V = Simd::V;
using O = Simd::O;
using Lanes = Simd::Lanes;
constexpr int kWidth = Simd::kWidth;
constexpr int kMaxVectors = Simd::kMaxVectors;
constexpr int64_t kDepth = kFactorDepth<Value>;

constexpr int max_rows(int vectors) { return Simd::kAccumulators / vectors; }

template <class R>
struct Tile {
  const Block<Value, R>* block;
  int64_t row;
  int64_t col;
  Lanes tail;  // lanes of the last vector
};

template <bool kMasked>
inline O factors(const Factor<Value>* p, Lanes lanes) {
  return kMasked ? Simd::factors(p, lanes) : Simd::factors(p);
}

template <bool kMasked, class R>
inline V load(const R* p, Lanes lanes) {
  return kMasked ? Simd::load(p, lanes) : Simd::load(p);
}

template <bool kMasked, class R>
inline void store(R* p, V x, Lanes lanes) {
  if constexpr (kMasked) {
    Simd::store(p, x, lanes);
  } else {
    Simd::store(p, x);
  }
}

// Without kMasked the last vector is whole; with kAhead the block has something to be fetched.
template <class R, int kRows, int kVectors, bool kMasked, bool kAhead>
void tile(const Tile<R>& t) {
  const Block<Value, R>& block = *t.block;
  const int64_t a_row = block.a_row, a_k = block.a_k, b_k = block.b_k;
  const Lanes tail = t.tail;
  constexpr int kLast = kVectors - 1;
  const Finish<R>& finish = block.finish;
  const auto load_vector = [&](const R* p, int v) {
    return v == kLast ? load<kMasked>(p + v * kWidth, tail) : Simd::load(p + v * kWidth);
  };
  R* c = block.c + t.row * block.c_row + t.col;
  V acc[kRows][kVectors];
  if (finish.accumulate) {
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) acc[r][v] = load_vector(c + r * block.c_row, v);
    }
  } else {
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) acc[r][v] = Simd::zero();
    }
  }

  // What the finish reads arrives while the sums are formed: rows far apart are cache misses.
  for (const R* extra : {finish.residual, finish.mask}) {
    if (extra == nullptr) continue;
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        __builtin_prefetch(extra + (t.row + r) * block.c_row + t.col + v * kWidth);
      }
    }
  }

  Ahead::Walk walk;
  int64_t lines = 0;
  if constexpr (kAhead) walk = block.ahead->walk();
  // One pointer for three rows keeps the addresses in registers.
  constexpr int kGroups = (kRows + 2) / 3;
  for (int64_t s = 0; s < block.num_segments; ++s) {
    const Segment& segment = block.segments[s];
    const Factor<Value>* b = block.b + segment.b + t.col;
    const Factor<Value>* a[kGroups];
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) a[g] = block.a + segment.a + (t.row + 3 * g) * a_row;
    if constexpr (kAhead) lines += segment.k * kDepth;
    for (int64_t k = segment.k; k > 0; --k) {
      O bv[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kLast; ++v) bv[v] = Simd::factors(b + v * kWidth);
      bv[kLast] = factors<kMasked>(b + kLast * kWidth, tail);
#pragma GCC unroll 24
      for (int r = 0; r < kRows; ++r) {
        const O av = Simd::broadcast(a[r / 3] + (r % 3) * a_row);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) acc[r][v] = Simd::multiply_add(av, bv[v], acc[r][v]);
      }
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; ++g) a[g] += a_k;
      b += b_k;
      if constexpr (kAhead) {
        for (int64_t i = 0; i < kDepth; ++i) walk.fetch();
      }
    }
  }

  if constexpr (kAhead) block.ahead->went_to(walk, lines);

  if (finish.scale != nullptr) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const V scale = load_vector(finish.scale + t.col, v);
#pragma GCC unroll 24
      for (int r = 0; r < kRows; ++r) acc[r][v] = Simd::multiply(acc[r][v], scale);
    }
  }
  if (finish.bias != nullptr) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const V bias = load_vector(finish.bias + t.col, v);
#pragma GCC unroll 24
      for (int r = 0; r < kRows; ++r) acc[r][v] = Simd::add(acc[r][v], bias);
    }
  }
  if (finish.residual != nullptr) {
    const R* residual = finish.residual + t.row * block.c_row + t.col;
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        acc[r][v] = Simd::add(acc[r][v], load_vector(residual + r * block.c_row, v));
      }
    }
  }
  if (finish.activation == Activation::Relu) {
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) acc[r][v] = Simd::relu(acc[r][v]);
    }
  }
  if (finish.mask != nullptr) {
    const R* mask = finish.mask + t.row * block.c_row + t.col;
#pragma GCC unroll 24
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        acc[r][v] = Simd::where_positive(load_vector(mask + r * block.c_row, v), acc[r][v]);
      }
    }
  }
#pragma GCC unroll 24
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kLast; ++v) Simd::store(c + r * block.c_row + v * kWidth, acc[r][v]);
    store<kMasked>(c + r * block.c_row + kLast * kWidth, acc[r][kLast], tail);
  }
}

template <class R>
using TileFn = void (*)(const Tile<R>&);

template <class R, int kVectors, bool kMasked, bool kAhead, int... kRows>
constexpr std::array<TileFn<R>, sizeof...(kRows)> tiles_of(std::integer_sequence<int, kRows...>) {
  return {tile<R, kRows + 1, kVectors, kMasked, kAhead>...};
}

template <class R, int kVectors, bool kMasked, bool kAhead>
constexpr auto kTiles =
    tiles_of<R, kVectors, kMasked, kAhead>(std::make_integer_sequence<int, max_rows(kVectors)>());

// Tiles by their number of vectors less one, then by their number of rows less one.
template <class R, bool kMasked, bool kAhead, int... kVectors>
constexpr std::array<const TileFn<R>*, sizeof...(kVectors)> table_of(
    std::integer_sequence<int, kVectors...>) {
  return {kTiles<R, kVectors + 1, kMasked, kAhead>.data()...};
}

template <class R, bool kMasked, bool kAhead>
constexpr auto kTable =
    table_of<R, kMasked, kAhead>(std::make_integer_sequence<int, kMaxVectors>());

template <class R, bool kAhead>
const TileFn<R>* tiles_for(int vectors, bool masked) {
  if constexpr (!Simd::kMasksAreFree) {
    if (!masked) return kTable<R, false, kAhead>[static_cast<size_t>(vectors - 1)];
  }
  return kTable<R, true, kAhead>[static_cast<size_t>(vectors - 1)];
}

template <class R>
TileFn<R> tile_for(const Block<Value, R>& block, int vectors, bool masked, int64_t rows) {
  const auto row = static_cast<size_t>(rows - 1);
  const bool fetches = block.ahead && !block.ahead->is_done();
  return (fetches ? tiles_for<R, true>(vectors, masked)
                  : tiles_for<R, false>(vectors, masked))[row];
}

template <class R>
void block(const Block<Value, R>& block) {
  for (int64_t col = 0; col < block.cols; col += kMaxVectors * kWidth) {
    const int64_t left = block.cols - col;
    const int vectors =
        left >= kMaxVectors * kWidth ? kMaxVectors : static_cast<int>((left + kWidth - 1) / kWidth);
    const int64_t last = left - (vectors - 1) * kWidth;
    const Lanes tail = Simd::first_lanes(last);
    const int64_t tiles = (block.rows + max_rows(vectors) - 1) / max_rows(vectors);
    for (int64_t i = 0, row = 0; i < tiles; ++i) {
      const int64_t end = block.rows * (i + 1) / tiles;
      tile_for(block, vectors, last < kWidth, end - row)({&block, row, col, tail});
      row = end;
    }
  }
}

// W is Value or the type of its sums.
template <class W>
void pack(const W* b, int64_t b_k, int64_t b_col, int64_t k, int64_t cols, Factor<Value>* out) {
  const int64_t width = (cols + kWidth - 1) / kWidth * kWidth;
  if (b_col == 1) {
    for (int64_t i = 0; i < k; i += kDepth, out += width) {
      for (int64_t col = 0; col < cols; col += kWidth) {
        Simd::store_rows(b + i * b_k + col, b_k, std::min(k - i, kDepth),
                         Simd::first_lanes(cols - col), out + col);
      }
    }
    return;
  }
  for (int64_t col = 0; col < cols; col += kWidth) {
    const int64_t left = std::min<int64_t>(cols - col, kWidth);
    const W* from = b + col * b_col;
    Factor<Value>* to = out + col;
    if (b_k == 1) {
      for (int64_t i = 0; i < k; i += kWidth * kDepth, to += kWidth * width) {
        const int64_t depth = std::min(k - i, kWidth * kDepth);
        Simd::transpose(from + i, b_col, left, depth, to, width);
      }
    } else {
      for (int64_t i = 0; i < k; i += kDepth, to += width) {
        for (int64_t j = 0; j < kWidth; ++j) {
          to[j] =
              Simd::gather(from + i * b_k + j * b_col, b_k, j < left ? std::min(k - i, kDepth) : 0);
        }
      }
    }
  }
}

template <class R>
void reduce(const float* parts, int64_t num_parts, int64_t part_stride, int64_t part_row, R* c,
            int64_t c_row, int64_t rows, int64_t cols, const Finish<R>& finish) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t col = 0; col < cols; col += kWidth) {
      const Lanes lanes = Simd::first_lanes(cols - col);
      const float* part = parts + row * part_row + col;
      R* target = c + row * c_row + col;
      V sum = Simd::load(part, lanes);
      for (int64_t i = 1; i < num_parts; ++i) {
        sum = Simd::add(sum, Simd::load(part + i * part_stride, lanes));
      }
      if (finish.accumulate) sum = Simd::add(Simd::load(target, lanes), sum);
      if (finish.scale != nullptr) {
        sum = Simd::multiply(sum, Simd::load(finish.scale + col, lanes));
      }
      if (finish.bias != nullptr) sum = Simd::add(sum, Simd::load(finish.bias + col, lanes));
      if (finish.residual != nullptr) {
        sum = Simd::add(sum, Simd::load(finish.residual + row * c_row + col, lanes));
      }
      if (finish.activation == Activation::Relu) sum = Simd::relu(sum);
      if (finish.mask != nullptr) {
        const R* mask = finish.mask + row * c_row + col;
        sum = Simd::where_positive(Simd::load(mask, lanes), sum);
      }
      Simd::store(target, sum, lanes);
    }
  }
}

constexpr GemmKernels<Value> kKernels = {
    .panel = kMaxVectors * kWidth,
    .vector = kWidth,
    .tile_rows = max_rows(kMaxVectors),
    .needs_unit_columns = true,
    .block = block<Value>,
    .block_wide = block<Sum<Value>>,
    .pack = pack<Value>,
    .pack_wide = pack<Sum<Value>>,
    .reduce = reduce<Value>,
    .reduce_wide = reduce<Sum<Value>>,
};

}  // namespace
}  // namespace addax::cpu
