#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace addax {

// Element types. The numeric values are part of the device ABI (`adx_dtype`) and never change.
enum class DType : uint8_t {
  Bool = 0,
  UInt8 = 1,
  Int8 = 2,
  Int32 = 3,
  Int64 = 4,
  Float16 = 5,
  BFloat16 = 6,
  Float32 = 7,
  Float64 = 8,
};

inline constexpr int kNumDTypes = 9;

// Bytes per element.
size_t size_of(DType dtype);

// NumPy's name: "float32". `short_name` is the IR's: "f32".
std::string_view name(DType dtype);
std::string_view short_name(DType dtype);

// Accepts either spelling.
std::optional<DType> dtype_from_name(std::string_view text);

bool is_floating(DType dtype);
bool is_integer(DType dtype);  // Bool is not an integer.

// The dtype two operands meet in. Within a kind the wider type wins (uint8 with int8 gives int32,
// float16 with bfloat16 gives float32); an integer that meets a floating type takes the floating
// type's width, as in Keras and JAX, so int64 + float32 is float32.
DType promote(DType a, DType b);

}  // namespace addax
