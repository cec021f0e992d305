#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.h"
#include "opencl/limits.h"

namespace addax::opencl {

// How the work of a contraction is cut.
struct Tile {
  bool local = false;    // operands pass through local memory
  int64_t m = 1, n = 1;  // of a work-group
  int64_t k = 1;         // of what is in local memory at a time
  int64_t rows = 1;      // of an item
  int64_t columns = 1;   // of an item: whole vectors
  int64_t vector = 1;    // elements of one load and of one sum
  int64_t splits = 1;    // of k, whose sums are added in a second pass: a power of 2

  bool operator==(const Tile&) const = default;

  int64_t items() const { return (m / rows) * (n / columns); }
  uint64_t local_bytes(DType compute) const;
};

// What a tile is chosen by.
struct TileQuery {
  std::string kind;  // of the operation and its operands
  DType compute = DType::Float32;
  int64_t batch = 1, m = 1, n = 1, k = 1;
};

// Tiles that somebody knows to be better than the default.
class TileSource {
 public:
  virtual ~TileSource() = default;
  virtual std::optional<Tile> find(const TileQuery& query) const = 0;
};

// "direct m=6 n=64 k=1 rows=6 columns=64 vector=16 splits=1", and back; nothing for other text.
std::string to_text(const Tile& tile);
std::optional<Tile> tile_from(std::string_view text);

// "matmul float32 float32 nn 1x32x1024x128": the kind, and batch x m x k x n up to powers of 2,
// which is how far one tile serves.
std::string to_text(const TileQuery& query);

// Whether the device runs kernels of this tile, and the contraction fits it.
bool suits(const Tile& tile, const Limits& limits, const TileQuery& query);

// The tile that is used where nobody has measured: by the extents and the device alone, so that the
// sums are always formed alike.
Tile default_tile(const Limits& limits, const TileQuery& query);

// Tiles worth a measurement, the default first; each suits.
std::vector<Tile> candidate_tiles(const Limits& limits, const TileQuery& query);

}  // namespace addax::opencl
