#include "opencl/contraction.h"

#include <algorithm>

#include "opencl/epilogue.h"
#include "opencl/render.h"
#include "opencl/sources.h"
#include "ops/compute_class.h"

namespace addax::opencl {
namespace {

struct Tile {
  int64_t m, n, k;
  int64_t rows, columns;  // of one item

  int64_t items() const { return (m / rows) * (n / columns); }
  int64_t local_bytes(DType compute) const {
    return (m + n) * k * static_cast<int64_t>(size_of(compute));
  }
};

constexpr Tile kLarge = {64, 64, 16, 4, 4};
constexpr Tile kSmall = {32, 32, 16, 4, 4};
constexpr Tile kSmallest = {8, 8, 8, 4, 4};

// By the extents and the device alone, so that the sums are always formed alike.
Tile choose_tile(const Lowering& to, const Contraction& contraction, DType compute) {
  const auto fits = [&](const Tile& tile) {
    return tile.items() <= to.limits.work_group &&
           static_cast<uint64_t>(tile.local_bytes(compute)) <= to.limits.local_bytes;
  };
  const bool fills = std::min(contraction.m, contraction.n) >= kLarge.m;
  if (fills && fits(kLarge)) return kLarge;
  return fits(kSmall) ? kSmall : kSmallest;
}

DType class_of(const Lowering& to) { return compute_class(dtype_of(to.node.output())); }

std::string tile_text(const Tile& tile) {
  return define("TILE_M", tile.m) + define("TILE_N", tile.n) + define("TILE_K", tile.k) +
         define("ROWS", tile.rows) + define("COLUMNS", tile.columns);
}

std::string operand_text(const Node& node, const Contraction& contraction) {
  return define("LOAD_A", "LOAD_" + std::string(name(dtype_of(node.input(0))))) +
         define("LOAD_B", "LOAD_" + std::string(name(dtype_of(node.input(1))))) +
         define("A_ROWS_FIRST", contraction.a_rows_first ? 1 : 0) +
         define("B_ROWS_FIRST", contraction.b_rows_first ? 1 : 0);
}

}  // namespace

Launch begin_contraction(Lowering& to, const Contraction& contraction) {
  const DType compute = class_of(to);
  const Tile tile = choose_tile(to, contraction, compute);
  std::string text = preamble(to.limits, compute) + std::string(sources::scalar_ops);
  text += operand_text(to.node, contraction) + tile_text(tile) + contraction.loaders;
  text += Epilogue(to.node, compute).text() + std::string(sources::contraction);
  Launch launch(text, "contract");
  launch.over({(contraction.n + tile.n - 1) / tile.n * tile.items(),
               (contraction.m + tile.m - 1) / tile.m, contraction.batch},
              {tile.items(), 1, 1});
  launch.extent(contraction.m).extent(contraction.n).extent(contraction.k);
  launch.extent(contraction.y_batch).extent(contraction.y_row);
  return launch;
}

void end_contraction(Lowering& to, Launch launch) {
  launch.tensor(to.node.input(0)).tensor(to.node.input(1)).tensor(to.node.output());
  Epilogue(to.node, class_of(to)).add_arguments(launch);
  to.add(std::move(launch));
}

}  // namespace addax::opencl
