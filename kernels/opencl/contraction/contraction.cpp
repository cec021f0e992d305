#include "opencl/contraction/contraction.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "opencl/contraction/epilogue.h"
#include "opencl/lowering/render.h"
#include "opencl/lowering/sources.h"
#include "opencl/tuning/tile_parameters.h"
#include "ops/compute_class.h"

namespace addax::opencl {
namespace {

constexpr uint64_t kMostScratchBytes = uint64_t{1} << 28;
constexpr int64_t kRowGroup = 64;  // items of a work-group that walks along rows

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

std::string dtype_text(DType dtype) { return std::string(name(dtype)); }

// The launches of one contraction: b is packed first where vectors of it could not be loaded, and
// the sums are joined in the end where k is split.
class Passes {
 public:
  Passes(Lowering& to, const Contraction& contraction, std::vector<std::byte> geometry)
      : to_(to),
        node_(to.node),
        c_(contraction),
        geometry_(std::move(geometry)),
        compute_(compute_class(dtype_of(to.node.output()))),
        epilogue_(to.node, compute_),
        tile_(choose_tile()) {
    packs_ = !tile_.local && c_.b_rows_first;
    if (packs_) packed_ = to.scratch(bytes_of(c_.batch * c_.k * c_.n));
    const uint64_t room = std::min(kMostScratchBytes, to.limits.largest_allocation - packed_.bytes);
    while (is_split() && parts_bytes() > room) tile_.splits /= 2;
    if (is_split()) parts_ = to.scratch(parts_bytes());
  }

  void add() {
    if (packs_) add_pack();
    add_contract();
    if (is_split()) add_join();
  }

 private:
  bool is_split() const { return tile_.splits > 1; }

  uint64_t bytes_of(int64_t elements) const {
    return static_cast<uint64_t>(elements) * size_of(compute_);
  }

  uint64_t parts_bytes() const { return bytes_of(tile_.splits * c_.batch * c_.m * c_.n); }

  // The operation, the operands and which way each lies: 'n' as written, 't' turned.
  std::string kind() const {
    return node_.op() + " " + dtype_text(dtype_of(node_.input(0))) + " " +
           dtype_text(dtype_of(node_.input(1))) + (c_.a_rows_first ? " t" : " n") +
           (c_.b_rows_first ? "t" : "n");
  }

  Tile choose_tile() const {
    const TileQuery query = {kind(), compute_, c_.batch, c_.m, c_.n, c_.k};
    std::optional<Tile> kept = to_.tiles.find(query);
    return kept && suits(*kept, to_.limits, query) ? *kept : default_tile(to_.limits, query);
  }

  std::string head() const { return preamble(to_.limits, compute_); }

  // From the tile up to what contraction.cl has.
  std::string shared(int64_t vector, const std::string& loaders,
                     const std::string& epilogue) const {
    return define("TILE_M", tile_.m) + define("TILE_N", tile_.n) + define("TILE_K", tile_.k) +
           define("ROWS", tile_.rows) + define("COLUMNS", tile_.columns) +
           define("VECTOR", vector) + define("SPLITS", tile_.splits) + loaders + epilogue +
           std::string(sources::contraction);
  }

  // Neighbours that one load takes, of which `span` lie side by side.
  int64_t lanes(int64_t span, int64_t extent) const {
    return span == extent || span % tile_.vector == 0 ? tile_.vector : 1;
  }

  void add_pack() {
    Launch launch(head() + define("LOAD_B", "LOAD_" + dtype_text(dtype_of(node_.input(1)))) +
                      c_.loaders + std::string(sources::contraction_pack),
                  "pack");
    launch.extent(c_.n).extent(c_.k).bytes(geometry_);
    launch.tensor(node_.input(1)).scratch(packed_);
    launch.over({c_.n, c_.k, c_.batch}, {row_group(c_.n), 1, 1});
    to_.add(std::move(launch));
  }

  void add_contract() {
    std::string text = head() + std::string(sources::scalar_ops);
    text += define("A_DTYPE", dtype_text(dtype_of(node_.input(0))));
    text += define("B_DTYPE", dtype_text(packs_ ? compute_ : dtype_of(node_.input(1))));
    if (packs_) text += define("B_PACKED", 1);
    if (tile_.local) {
      text += define("A_ROWS_FIRST", c_.a_rows_first ? 1 : 0);
      text += define("B_ROWS_FIRST", c_.b_rows_first ? 1 : 0);
      text += define("LANES_A", lanes(c_.a_span, c_.a_rows_first ? c_.m : c_.k));
      text += define("LANES_B", lanes(c_.b_span, c_.b_rows_first ? c_.k : c_.n));
    }
    text +=
        shared(tile_.vector, c_.loaders, is_split() ? Epilogue::plain(compute_) : epilogue_.text());
    text += tile_.local ? sources::contraction_local : sources::contraction_direct;
    Launch launch(text, tile_.local ? "contract_local" : "contract_direct");
    launch.extent(c_.m).extent(c_.n).extent(c_.k).extent(c_.run);
    // Whole tiles: vectors begin where they do without splits.
    launch.extent(ceil_div(ceil_div(c_.k, tile_.splits), tile_.k) * tile_.k);
    launch.extent(is_split() ? c_.m * c_.n : c_.y_batch).extent(is_split() ? c_.n : c_.y_row);
    launch.bytes(geometry_).tensor(node_.input(0));
    packs_ ? launch.scratch(packed_) : launch.tensor(node_.input(1));
    if (is_split()) {
      launch.scratch(parts_);
    } else {
      launch.tensor(node_.output());
      epilogue_.add_arguments(launch);
    }
    launch.over(
        {ceil_div(c_.n, tile_.n) * tile_.items(), ceil_div(c_.m, tile_.m), c_.batch * tile_.splits},
        {tile_.items(), 1, 1});
    to_.add(std::move(launch));
  }

  void add_join() {
    const int64_t vector = tile_.vector <= c_.n ? tile_.vector : 1;
    Launch launch(head() + std::string(sources::scalar_ops) +
                      define("PARTS_DTYPE", dtype_text(compute_)) +
                      shared(vector, "", epilogue_.text()) + std::string(sources::contraction_join),
                  "join");
    launch.extent(c_.m).extent(c_.n).extent(c_.y_batch).extent(c_.y_row);
    launch.scratch(parts_).tensor(node_.output());
    epilogue_.add_arguments(launch);
    const int64_t vectors = ceil_div(c_.n, vector);
    launch.over({vectors, c_.m, c_.batch}, {row_group(vectors), 1, 1});
    to_.add(std::move(launch));
  }

  int64_t row_group(int64_t items) const {
    return std::min({items, kRowGroup, to_.limits.work_group});
  }

  Lowering& to_;
  const Node& node_;
  const Contraction& c_;
  std::vector<std::byte> geometry_;
  DType compute_;
  Epilogue epilogue_;
  Tile tile_;
  bool packs_ = false;
  Scratch packed_{0, 0};
  Scratch parts_{0, 0};
};

}  // namespace

void add_contraction_of(Lowering& to, const Contraction& contraction,
                        std::vector<std::byte> geometry) {
  // An empty output needs no launch, and its tile could not be chosen.
  if (contraction.batch * contraction.m * contraction.n == 0) return;
  Passes(to, contraction, std::move(geometry)).add();
}

}  // namespace addax::opencl
