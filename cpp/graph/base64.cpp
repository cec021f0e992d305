#include "graph/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace addax {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> make_inverse() {
  std::array<int8_t, 256> inverse{};
  inverse.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    inverse[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int8_t>(i);
  }
  return inverse;
}

constexpr std::array<int8_t, 256> kInverse = make_inverse();

}  // namespace

std::string base64_encode(std::span<const std::byte> data) {
  std::string text;
  text.reserve((data.size() + 2) / 3 * 4);
  for (size_t i = 0; i < data.size(); i += 3) {
    const size_t count = std::min<size_t>(3, data.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = (group << 8) | (k < count ? std::to_integer<uint32_t>(data[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += k <= count ? kAlphabet[(group >> (18 - 6 * k)) & 63u] : '=';
    }
  }
  return text;
}

std::optional<std::vector<std::byte>> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::vector<std::byte> data;
  data.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    size_t padding = 0;
    if (i + 4 == text.size()) {
      while (padding < 2 && text[i + 3 - padding] == '=') ++padding;
    }
    uint32_t group = 0;
    for (size_t k = 0; k < 4; ++k) {
      const int8_t digit = k < 4 - padding ? kInverse[static_cast<unsigned char>(text[i + k])] : 0;
      if (digit < 0) return std::nullopt;
      group = (group << 6) | static_cast<uint32_t>(digit);
    }
    for (size_t k = 0; k < 3 - padding; ++k) {
      data.push_back(static_cast<std::byte>((group >> (16 - 8 * k)) & 255u));
    }
  }
  return data;
}

}  // namespace addax
