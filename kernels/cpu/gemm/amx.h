#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/gemm/contraction_types.h"

namespace addax::cpu::amx {

// Rows, columns and factors of k of a tile register at most.
inline constexpr int64_t kTile = 16;

// Tile registers of one step, which multiplies two by two tiles: sums in 0 (upper left), 1, 2 and
// 3, rows of A in 4 and 5, columns of B in 6 and 7.
inline constexpr int kFirstRows = 4;
inline constexpr int kFirstCols = 6;

// The operand of LDTILECFG. A register of no rows is not to be used.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};

  // For sums of `num_rows` and `num_cols`, at most two tiles each.
  TileConfig(int64_t num_rows, int64_t num_cols) {
    for (int i = 0; i < 2; ++i) {
      const int64_t height = std::clamp<int64_t>(num_rows - i * kTile, 0, kTile);
      const int64_t width = std::clamp<int64_t>(num_cols - i * kTile, 0, kTile);
      shape(kFirstRows + i, height, height == 0 ? 0 : kTile);
      shape(kFirstCols + i, width == 0 ? 0 : kTile, width);
      for (int j = 0; j < 2; ++j) {
        const int64_t other = std::clamp<int64_t>(num_cols - j * kTile, 0, kTile);
        const bool used = height > 0 && other > 0;
        shape(2 * i + j, used ? height : 0, used ? other : 0);
      }
    }
  }

 private:
  void shape(int tile, int64_t num_rows, int64_t words) {
    rows[tile] = static_cast<uint8_t>(num_rows);
    row_bytes[tile] = static_cast<uint16_t>(words * 4);
  }
};
static_assert(sizeof(TileConfig) == 64);

// The factors of one step: the first tile of A's rows and of B's columns, and the distances of
// their rows in bytes. Second tiles begin kTile rows further in A, kTile columns further in B.
struct Step {
  const BFloat16Pair* a;
  int64_t a_row;
  const BFloat16Pair* b;
  int64_t b_row;
};

}  // namespace addax::cpu::amx
