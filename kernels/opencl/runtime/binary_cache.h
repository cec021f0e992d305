#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace addax::opencl {

// Compiled programs on disk, in the folder `addax/opencl` of the user's caches (XDG_CACHE_HOME),
// unless ADDAX_CACHE=0, each under a key that says all it depends on. An entry that is damaged or
// belongs to another key is none, and a folder that cannot be written stays as it is: a cache is
// never a reason to fail.
class BinaryCache {
 public:
  BinaryCache();

  std::optional<std::vector<unsigned char>> load(std::string_view key) const;
  void store(std::string_view key, const std::vector<unsigned char>& binary) const;

 private:
  std::filesystem::path file_of(std::string_view key) const;

  std::filesystem::path folder_;  // empty: there is no cache
};

}  // namespace addax::opencl
