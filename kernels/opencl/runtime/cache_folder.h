#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace addax::opencl {

// `addax/opencl` in the user's caches (XDG_CACHE_HOME); empty where there are none, or
// ADDAX_CACHE=0 asks for none.
std::filesystem::path cache_folder();

// Writes a file that other processes see whole or not at all, and makes its folder. What cannot be
// written stays as it is: a cache is never a reason to fail.
void write_whole(const std::filesystem::path& file, const std::vector<std::string_view>& parts);

}  // namespace addax::opencl
