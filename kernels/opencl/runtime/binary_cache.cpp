#include "opencl/runtime/binary_cache.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "opencl/runtime/cache_folder.h"

namespace addax::opencl {
namespace {

// A file is this, then the key, then the binary.
struct Header {
  std::array<char, 8> magic = {'a', 'd', 'd', 'a', 'x', 'c', 'l', '1'};
  uint64_t key_bytes = 0;
  uint64_t binary_bytes = 0;
  uint64_t checksum = 0;  // of the key and the binary

  bool operator==(const Header&) const = default;
};

constexpr uint64_t kFnvBasis = 0xcbf29ce484222325;

// FNV-1a.
template <class Bytes>
uint64_t hash_of(const Bytes& bytes, uint64_t hash) {
  for (const auto byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

Header header_of(std::string_view key, const std::vector<unsigned char>& binary) {
  return {.key_bytes = key.size(),
          .binary_bytes = binary.size(),
          .checksum = hash_of(binary, hash_of(key, kFnvBasis))};
}

}  // namespace

BinaryCache::BinaryCache() : folder_(cache_folder()) {}

std::filesystem::path BinaryCache::file_of(std::string_view key) const {
  std::array<char, 17> name;
  std::snprintf(name.data(), name.size(), "%016llx",
                static_cast<unsigned long long>(hash_of(key, kFnvBasis)));
  return folder_ / name.data();
}

std::optional<std::vector<unsigned char>> BinaryCache::load(std::string_view key) const {
  if (folder_.empty()) return std::nullopt;
  std::ifstream file(file_of(key), std::ios::binary);
  const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
  if (bytes.size() < sizeof(Header) + key.size()) return std::nullopt;
  Header header;
  std::copy_n(bytes.data(), sizeof header, reinterpret_cast<char*>(&header));
  const char* const stored_key = bytes.data() + sizeof header;
  if (std::string_view(stored_key, key.size()) != key) return std::nullopt;
  std::vector<unsigned char> binary(stored_key + key.size(), bytes.data() + bytes.size());
  if (header != header_of(key, binary)) return std::nullopt;
  return binary;
}

void BinaryCache::store(std::string_view key, const std::vector<unsigned char>& binary) const {
  if (folder_.empty()) return;
  const Header header = header_of(key, binary);
  write_whole(file_of(key), {{reinterpret_cast<const char*>(&header), sizeof header},
                             key,
                             {reinterpret_cast<const char*>(binary.data()), binary.size()}});
}

}  // namespace addax::opencl
