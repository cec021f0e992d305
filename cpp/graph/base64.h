#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace addax {

// RFC 4648, with padding. Decoding gives nothing when the text is not base64.
std::string base64_encode(std::span<const std::byte> data);
std::optional<std::vector<std::byte>> base64_decode(std::string_view text);

}  // namespace addax
