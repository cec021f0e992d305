#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace addax::opencl {

using Texts = std::map<std::string, std::string, std::less<>>;

// A JSON object whose values are strings; nothing for any other text.
std::optional<Texts> parse_flat_json(std::string_view text);
std::string to_flat_json(const Texts& texts);

}  // namespace addax::opencl
