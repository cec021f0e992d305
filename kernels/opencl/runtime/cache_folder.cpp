#include "opencl/runtime/cache_folder.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>

namespace addax::opencl {

std::filesystem::path cache_folder() {
  const char* const setting = std::getenv("ADDAX_CACHE");
  if (setting != nullptr && std::string_view(setting) == "0") return {};
  const char* const caches = std::getenv("XDG_CACHE_HOME");
  if (caches != nullptr && *caches != '\0') return std::filesystem::path(caches) / "addax/opencl";
  const char* const home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return std::filesystem::path(home) / ".cache/addax/opencl";
}

void write_whole(const std::filesystem::path& file, const std::vector<std::string_view>& parts) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  const std::filesystem::path beside = file.string() + "." + std::to_string(getpid());
  std::ofstream out(beside, std::ios::binary);
  for (const std::string_view part : parts) {
    out.write(part.data(), static_cast<std::streamsize>(part.size()));
  }
  out.close();
  if (out.good()) std::filesystem::rename(beside, file, error);
  if (!out.good() || error) std::filesystem::remove(beside, error);
}

}  // namespace addax::opencl
