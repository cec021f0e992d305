#include "opencl/tile_parameters.h"

#include <algorithm>
#include <array>
#include <bit>

namespace addax::opencl {
namespace {

constexpr int64_t kMostSplits = 32;
constexpr int64_t kMostSums = 256;  // of an item, in registers
constexpr int64_t kMostDepth = 256;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t floor_power(int64_t n) {
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(n, 1))));
}

// What gives each compute unit `groups_per_unit` work-groups, while a split keeps `depth` of k.
int64_t splits_for(const Limits& limits, const TileQuery& query, const Tile& tile,
                   int64_t groups_per_unit, int64_t depth) {
  const int64_t groups = ceil_div(query.m, tile.m) * ceil_div(query.n, tile.n) * query.batch;
  const int64_t wanted = limits.compute_units * groups_per_unit / std::max<int64_t>(groups, 1);
  return floor_power(std::min({wanted, query.k / depth, kMostSplits}));
}

// A processor's vectors hold a row's neighbours, and all its registers sums.
Tile direct_tile(const Limits& limits, const TileQuery& query) {
  constexpr int64_t kMostRows = 12, kMostVectors = 4, kWidestRegisters = 64;
  const int64_t registers = limits.vector_bytes >= kWidestRegisters ? 24 : 12;
  const auto element = static_cast<int64_t>(size_of(query.compute));
  const int64_t vector = floor_power(std::min(limits.vector_bytes / element, query.n));
  // A vector costs one multiplication for each row, and the row's element about as much.
  const auto cost = [&](int64_t vectors) {
    return ceil_div(query.n, vectors * vector) * (vectors + 1);
  };
  int64_t vectors = 1;
  for (int64_t more = 2; more <= kMostVectors && more * vector <= query.n; ++more) {
    if (cost(more) <= cost(vectors)) vectors = more;
  }
  const int64_t rows = std::min({registers / vectors, kMostRows, query.m});
  Tile tile = {.local = false,
               .m = rows,
               .n = vectors * vector,
               .k = 1,
               .rows = rows,
               .columns = vectors * vector,
               .vector = vector};
  tile.splits = splits_for(limits, query, tile, 2, 256);
  return tile;
}

Tile local_tile(const Limits& limits, const TileQuery& query) {
  constexpr auto kTiles = std::to_array<Tile>({
      {.local = true, .m = 128, .n = 64, .k = 16, .rows = 8, .columns = 4, .vector = 4},
      {.local = true, .m = 64, .n = 64, .k = 16, .rows = 4, .columns = 4, .vector = 4},
      {.local = true, .m = 32, .n = 32, .k = 16, .rows = 4, .columns = 4, .vector = 4},
  });
  constexpr Tile kSmallest = {
      .local = true, .m = 8, .n = 8, .k = 8, .rows = 4, .columns = 4, .vector = 4};
  // The largest that wastes no edge and leaves no unit without work, if k is split as needed.
  const auto found = std::find_if(kTiles.begin(), kTiles.end(), [&](Tile tile) {
    const bool is_last = tile == kTiles.back();
    tile.splits = splits_for(limits, query, tile, 4, 16 * tile.k);
    const int64_t groups =
        ceil_div(query.m, tile.m) * ceil_div(query.n, tile.n) * query.batch * tile.splits;
    const bool fills = query.m >= tile.m && query.n >= tile.n && groups >= limits.compute_units;
    return (fills || is_last) && suits(tile, limits, query);
  });
  Tile tile = found == kTiles.end() ? kSmallest : *found;
  tile.splits = splits_for(limits, query, tile, 4, 16 * tile.k);
  return tile;
}

}  // namespace

uint64_t Tile::local_bytes(DType compute) const {
  constexpr int64_t kSpread = 2;  // as contraction_local.cl has it
  return local ? static_cast<uint64_t>((m + kSpread + n) * k) * size_of(compute) : 0;
}

bool suits(const Tile& tile, const Limits& limits, const TileQuery& query) {
  const auto is_power = [](int64_t n) { return n > 0 && (n & (n - 1)) == 0; };
  const bool is_whole = tile.rows > 0 && tile.columns > 0 && tile.m > 0 && tile.n > 0 &&
                        tile.m % tile.rows == 0 && tile.n % tile.columns == 0 &&
                        is_power(tile.vector) && tile.vector <= 16 &&
                        tile.columns % tile.vector == 0 && tile.k > 0 && tile.k <= kMostDepth &&
                        is_power(tile.splits) && tile.splits <= kMostSplits;
  if (!is_whole || tile.rows > kMostSums || tile.columns > kMostSums / tile.rows) return false;
  if (tile.m / tile.rows > limits.work_group || tile.n / tile.columns > limits.work_group ||
      tile.items() > limits.work_group || tile.local_bytes(query.compute) > limits.local_bytes) {
    return false;
  }
  return tile.local ? tile.k % tile.vector == 0 : tile.columns <= query.n;
}

Tile default_tile(const Limits& limits, const TileQuery& query) {
  return limits.is_cpu ? direct_tile(limits, query) : local_tile(limits, query);
}

}  // namespace addax::opencl
