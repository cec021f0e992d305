#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "opencl/tuning/flat_json.h"
#include "opencl/tuning/tile_parameters.h"

namespace addax::opencl {

// The tiles that were measured to be fastest, in `tuning.json` of the user's caches: read when the
// device is opened, and written anew at each measurement. A file that is damaged counts as empty.
//   "<device>; matmul float32 float32 1x32x1024x128": "direct m=6 n=64 k=1 ..."
// The key "<device>; *" stands for all that have none of their own.
class TileCache final : public TileSource {
 public:
  // `device` says which device it is and by which driver it runs.
  explicit TileCache(std::string device);

  std::optional<Tile> find(const TileQuery& query) const override;
  bool has(const TileQuery& query) const;
  void put(const TileQuery& query, const Tile& tile);

 private:
  std::string key_of(const TileQuery& query) const { return device_ + "; " + to_text(query); }
  Texts read() const;

  std::string device_;
  std::filesystem::path file_;  // empty: there are no caches
  mutable std::mutex mutex_;
  Texts texts_;
};

}  // namespace addax::opencl
