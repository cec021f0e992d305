#include "opencl/tuning/tile_cache.h"

#include <fstream>
#include <iterator>
#include <utility>

#include "opencl/runtime/cache_folder.h"

namespace addax::opencl {

TileCache::TileCache(std::string device) : device_(std::move(device)), file_(cache_folder()) {
  if (!file_.empty()) file_ /= "tuning.json";
  texts_ = read();
}

Texts TileCache::read() const {
  std::ifstream file(file_, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return parse_flat_json(text).value_or(Texts{});
}

std::optional<Tile> TileCache::find(const TileQuery& query) const {
  const std::lock_guard lock(mutex_);
  auto found = texts_.find(key_of(query));
  if (found == texts_.end()) found = texts_.find(device_ + "; *");
  return found == texts_.end() ? std::nullopt : tile_from(found->second);
}

bool TileCache::has(const TileQuery& query) const {
  const std::lock_guard lock(mutex_);
  const auto found = texts_.find(key_of(query));
  return found != texts_.end() && tile_from(found->second).has_value();
}

void TileCache::put(const TileQuery& query, const Tile& tile) {
  const std::lock_guard lock(mutex_);
  texts_[key_of(query)] = to_text(tile);
  if (file_.empty()) return;
  Texts all = read();  // others may have measured meanwhile
  all[key_of(query)] = to_text(tile);
  write_whole(file_, {to_flat_json(all)});
}

}  // namespace addax::opencl
