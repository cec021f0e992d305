#include "opencl/tuning/tile_parameters.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <system_error>

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

// A processor's vectors hold a row's neighbours, and its registers the sums.
Tile direct_tile(const Limits& limits, const TileQuery& query, int64_t vectors, int64_t vector) {
  constexpr int64_t kMostRows = 12, kWidestRegisters = 64;
  const int64_t registers = limits.vector_bytes >= kWidestRegisters ? 24 : 12;
  const int64_t rows = std::min({registers / vectors, kMostRows, query.m});
  Tile tile = {.local = false,
               .m = rows,
               .n = vectors * vector,
               .rows = rows,
               .columns = vectors * vector,
               .vector = vector};
  tile.splits = splits_for(limits, query, tile, 2, 256);
  return tile;
}

constexpr int64_t kMostVectors = 4;

Tile default_direct_tile(const Limits& limits, const TileQuery& query) {
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
  return direct_tile(limits, query, vectors, vector);
}

constexpr auto kLocalTiles = std::to_array<Tile>({
    {.local = true, .m = 128, .n = 64, .k = 16, .rows = 8, .columns = 4, .vector = 4},
    {.local = true, .m = 64, .n = 64, .k = 16, .rows = 4, .columns = 4, .vector = 4},
    {.local = true, .m = 32, .n = 32, .k = 16, .rows = 4, .columns = 4, .vector = 4},
    {.local = true, .m = 8, .n = 8, .k = 8, .rows = 4, .columns = 4, .vector = 4},
});

int64_t local_splits(const Limits& limits, const TileQuery& query, const Tile& tile) {
  return splits_for(limits, query, tile, 4, 16 * tile.k);
}

// The largest that wastes no edge and leaves no unit without work, if k is split as needed; nothing
// where the device has no room for any.
std::optional<Tile> default_local_tile(const Limits& limits, const TileQuery& query) {
  constexpr int64_t kUsual = 32;
  const auto found = std::find_if(kLocalTiles.begin(), kLocalTiles.end(), [&](const Tile& tile) {
    const int64_t groups = ceil_div(query.m, tile.m) * ceil_div(query.n, tile.n) * query.batch *
                           local_splits(limits, query, tile);
    const bool fills = query.m >= tile.m && query.n >= tile.n && groups >= limits.compute_units;
    return (fills || tile.m <= kUsual) && suits(tile, limits, query);
  });
  if (found == kLocalTiles.end()) return std::nullopt;
  Tile tile = *found;
  tile.splits = local_splits(limits, query, tile);
  return tile;
}

// The fields of a tile by their names in its text.
struct Field {
  std::string_view name;
  int64_t Tile::*value;
};
constexpr auto kFields = std::to_array<Field>({{"m", &Tile::m},
                                               {"n", &Tile::n},
                                               {"k", &Tile::k},
                                               {"rows", &Tile::rows},
                                               {"columns", &Tile::columns},
                                               {"vector", &Tile::vector},
                                               {"splits", &Tile::splits}});
constexpr std::string_view kLocal = "local", kDirect = "direct";

// Takes `prefix` off the front.
bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool number(std::string_view& text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc();
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

std::string to_text(const Tile& tile) {
  std::string text(tile.local ? kLocal : kDirect);
  for (const Field& field : kFields) {
    text.append(" ").append(field.name).append("=").append(std::to_string(tile.*field.value));
  }
  return text;
}

std::optional<Tile> tile_from(std::string_view text) {
  Tile tile;
  tile.local = skip(text, kLocal);
  bool is_good = tile.local || skip(text, kDirect);
  for (const Field& field : kFields) {
    is_good = is_good && skip(text, " ") && skip(text, field.name) && skip(text, "=") &&
              number(text, tile.*field.value);
  }
  return is_good && text.empty() ? std::optional(tile) : std::nullopt;
}

std::string to_text(const TileQuery& query) {
  const auto up = [](int64_t n) { return std::to_string(std::bit_ceil(static_cast<uint64_t>(n))); };
  return query.kind + " " + up(query.batch) + "x" + up(query.m) + "x" + up(query.k) + "x" +
         up(query.n);
}

Tile default_tile(const Limits& limits, const TileQuery& query) {
  const auto local = limits.is_cpu ? std::nullopt : default_local_tile(limits, query);
  return local ? *local : default_direct_tile(limits, query);
}

std::vector<Tile> candidate_tiles(const Limits& limits, const TileQuery& query) {
  std::vector<Tile> tiles;
  const auto propose = [&](const Tile& tile) {
    const bool is_new = std::find(tiles.begin(), tiles.end(), tile) == tiles.end();
    if (is_new && suits(tile, limits, query)) tiles.push_back(tile);
  };
  const Tile first = default_tile(limits, query);
  propose(first);
  if (limits.is_cpu) {
    for (int64_t vectors = 1; vectors <= kMostVectors; ++vectors) {
      propose(direct_tile(limits, query, vectors, first.vector));
    }
  }
  for (Tile tile : kLocalTiles) {
    tile.splits = local_splits(limits, query, tile);
    propose(tile);
  }
  for (int64_t splits = 1; splits <= std::min<int64_t>(query.k, 8); splits *= 2) {
    Tile tile = first;
    tile.splits = splits;
    propose(tile);
  }
  return tiles;
}

}  // namespace addax::opencl
