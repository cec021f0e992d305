#include "core/dtype.h"

#include <array>
#include <utility>

namespace addax {
namespace {

enum class Kind : uint8_t { Bool, Integer, Floating };

struct Info {
  std::string_view name;
  std::string_view short_name;
  size_t bytes;
  Kind kind;
};

constexpr std::array<Info, kNumDTypes> kInfo = {{
    {"bool", "b1", 1, Kind::Bool},
    {"uint8", "u8", 1, Kind::Integer},
    {"int8", "i8", 1, Kind::Integer},
    {"int32", "i32", 4, Kind::Integer},
    {"int64", "i64", 8, Kind::Integer},
    {"float16", "f16", 2, Kind::Floating},
    {"bfloat16", "bf16", 2, Kind::Floating},
    {"float32", "f32", 4, Kind::Floating},
    {"float64", "f64", 8, Kind::Floating},
}};

const Info& info(DType dtype) { return kInfo[static_cast<size_t>(dtype)]; }

}  // namespace

size_t size_of(DType dtype) { return info(dtype).bytes; }
std::string_view name(DType dtype) { return info(dtype).name; }
std::string_view short_name(DType dtype) { return info(dtype).short_name; }
bool is_floating(DType dtype) { return info(dtype).kind == Kind::Floating; }
bool is_integer(DType dtype) { return info(dtype).kind == Kind::Integer; }

std::optional<DType> dtype_from_name(std::string_view text) {
  for (size_t i = 0; i < kInfo.size(); ++i) {
    if (kInfo[i].name == text || kInfo[i].short_name == text) return static_cast<DType>(i);
  }
  return std::nullopt;
}

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (info(a).kind != info(b).kind) return info(a).kind > info(b).kind ? a : b;
  const auto [low, high] = std::pair(a < b ? a : b, a < b ? b : a);
  if (low == DType::UInt8 && high == DType::Int8) return DType::Int32;
  if (low == DType::Float16 && high == DType::BFloat16) return DType::Float32;
  return high;
}

}  // namespace addax
