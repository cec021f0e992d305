// Contraction of blocks of bfloat16 pairs by tile registers, written in terms of `Tiles`:
//   configure(config)           gives the registers their shapes
//   zero<kRows, kCols>()        clears the sums of that many tiles
//   add<kRows, kCols>(step)     multiplies one step and adds it to the sums
//   store<kRows, kCols>(sums)   puts out the sums, rows of 2 * kTile
//   release()
#pragma once

#include <cstring>

#include "cpu/gemm/amx.h"
#include "cpu/gemm/gemm_kernels.h"

namespace addax::cpu::amx {
namespace {

constexpr int64_t kSide = 2 * kTile;

// The last factors of a segment, with zeros up to a whole step.
struct EdgeStep {
  alignas(64) BFloat16Pair a[kSide][kTile] = {};
  alignas(64) BFloat16Pair b[kTile][kSide] = {};

  Step operator()(const Step& whole, int64_t rows, int64_t cols, int64_t depth) {
    for (int64_t row = 0; row < rows; ++row) {
      std::memcpy(a[row], whole.a + row * whole.a_row, depth * sizeof(BFloat16Pair));
    }
    for (int64_t k = 0; k < depth; ++k) {
      std::memcpy(b[k], whole.b + k * whole.b_row, cols * sizeof(BFloat16Pair));
    }
    return {&a[0][0], kTile, &b[0][0], kSide};
  }
};

// sums[kSide, kSide] = the block's rows from `row` and columns from `col` on.
template <class Tiles, int kRows, int kCols, class R>
void contract(const Block<BFloat16, R>& block, int64_t row, int64_t col, float* sums) {
  Tiles::template zero<kRows, kCols>();
  for (int64_t s = 0; s < block.num_segments; ++s) {
    const Segment& segment = block.segments[s];
    Step step = {block.a + segment.a + row * block.a_row, block.a_row, block.b + segment.b + col,
                 block.b_k};
    int64_t k = 0;
    for (; k + kTile <= segment.k; k += kTile) {
      Tiles::template add<kRows, kCols>(step);
      step.a += kTile;
      step.b += kTile * step.b_row;
    }
    if (k < segment.k) {
      EdgeStep edge;
      const int64_t rows = std::min(kSide, block.rows - row);
      const int64_t cols = std::min(kSide, block.cols - col);
      Tiles::template add<kRows, kCols>(edge(step, rows, cols, segment.k - k));
    }
  }
  Tiles::template store<kRows, kCols>(sums);
}

// Blocks whose factors of a row do not follow each other have no tiles: they go to `vectors`.
template <class Tiles, class R>
void block(const Block<BFloat16, R>& block, void (*vectors)(const Block<BFloat16, R>&),
           ReduceKernel<BFloat16, R> finish) {
  if (block.a_k != 1) return vectors(block);
  using Contract = void (*)(const Block<BFloat16, R>&, int64_t, int64_t, float*);
  constexpr Contract kContract[2][2] = {{contract<Tiles, 1, 1, R>, contract<Tiles, 1, 2, R>},
                                        {contract<Tiles, 2, 1, R>, contract<Tiles, 2, 2, R>}};
  alignas(64) float sums[kSide * kSide];
  int64_t configured_rows = 0, configured_cols = 0;
  for (int64_t col = 0; col < block.cols; col += kSide) {
    const int64_t cols = std::min(kSide, block.cols - col);
    for (int64_t row = 0; row < block.rows; row += kSide) {
      const int64_t rows = std::min(kSide, block.rows - row);
      if (rows != configured_rows || cols != configured_cols) {
        Tiles::configure(TileConfig(rows, cols));
        configured_rows = rows;
        configured_cols = cols;
      }
      kContract[rows > kTile][cols > kTile](block, row, col, sums);
      const int64_t offset = row * block.c_row + col;
      finish(sums, 1, 0, kSide, block.c + offset, block.c_row, rows, cols,
             block.finish.at(offset, col));
    }
  }
  if (configured_rows > 0) Tiles::release();
}

}  // namespace
}  // namespace addax::cpu::amx
