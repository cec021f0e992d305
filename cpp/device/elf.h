#pragma once

#include <filesystem>

namespace addax {

// Whether a shared library of this machine's kind ends before the segments that its header lists,
// as after a broken copy: loading one kills the process. False for files of other kinds.
bool lacks_its_end(const std::filesystem::path& path);

}  // namespace addax
