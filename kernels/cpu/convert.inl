// Conversions between dtypes and compute classes at one ISA level; see simd.inl. Floats round to
// nearest even, floats to integers truncate, integers wrap, bool is `!= 0`.
#pragma once

#include <array>

#include "core/dtype.h"
#include "core/float16.h"
#include "cpu/simd.inl"
#include "cpu/tape_ops.h"

namespace addax::cpu::ADDAX_ISA {
namespace {

// The 16-bit formats as types of their own.
struct Half {
  uint16_t bits;
};
struct Brain {
  uint16_t bits;
};
struct Bool {
  uint8_t value;
};

inline float widen(Brain x) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(x.bits) << 16);
}

inline Brain to_brain(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const uint32_t quiet_nan = (bits >> 16) | 0x40u;
  return {static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet_nan : rounded)};
}

inline float widen(Half x) {
#if defined(__F16C__)
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(x.bits)));
#else
  return float16_to_float(x.bits);
#endif
}

inline Half to_half(float x) {
#if defined(__F16C__)
  return {static_cast<uint16_t>(_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(x), 0)))};
#else
  return {float_to_float16(x)};
#endif
}

// Rounds to odd: a second rounding, to fewer bits, then gives what one rounding would have given.
inline float narrow_to_odd(double x) {
  const float nearest = static_cast<float>(x);
  const double back = nearest;
  uint32_t bits = __builtin_bit_cast(uint32_t, nearest);
  if (back == x || x != x || (bits & 1u) != 0) return nearest;
  const bool away = (back > x) == (x > 0);
  bits += away ? -1u : 1u;
  return __builtin_bit_cast(float, bits);
}

inline Half to_half(double x) { return to_half(narrow_to_odd(x)); }
inline Brain to_brain(double x) { return to_brain(narrow_to_odd(x)); }
inline Half to_half(int64_t x) { return to_half(static_cast<double>(x)); }
inline Brain to_brain(int64_t x) { return to_brain(static_cast<double>(x)); }

template <class T, class From>
void load_as(const void* from, void* to, int64_t n) {
  const From* __restrict x = static_cast<const From*>(from);
  T* __restrict out = static_cast<T*>(to);
  // NOLINTNEXTLINE(bugprone-signed-char-misuse): int8 is a number here.
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(x[i]);
}

template <class T, class From>
void load_widened(const void* from, void* to, int64_t n) {
  const From* __restrict x = static_cast<const From*>(from);
  T* __restrict out = static_cast<T*>(to);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(widen(x[i]));
}

template <class T>
void load_bool(const void* from, void* to, int64_t n) {
  const uint8_t* __restrict x = static_cast<const uint8_t*>(from);
  T* __restrict out = static_cast<T*>(to);
  for (int64_t i = 0; i < n; ++i) out[i] = x[i] != 0 ? T{1} : T{0};
}

template <class T, class To>
void store_as(const void* from, void* to, int64_t n) {
  const T* __restrict x = static_cast<const T*>(from);
  To* __restrict out = static_cast<To*>(to);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<To>(x[i]);
}

// To 8 bits by way of int32, in which the processor converts.
template <class T, class To>
void store_byte(const void* from, void* to, int64_t n) {
  const T* __restrict x = static_cast<const T*>(from);
  To* __restrict out = static_cast<To*>(to);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<To>(static_cast<int32_t>(x[i]));
}

template <class T>
void store_bool(const void* from, void* to, int64_t n) {
  const T* __restrict x = static_cast<const T*>(from);
  uint8_t* __restrict out = static_cast<uint8_t*>(to);
  for (int64_t i = 0; i < n; ++i) out[i] = x[i] != 0 ? 1 : 0;
}

template <class T>
void store_half(const void* from, void* to, int64_t n) {
  const T* __restrict x = static_cast<const T*>(from);
  Half* __restrict out = static_cast<Half*>(to);
  for (int64_t i = 0; i < n; ++i) out[i] = to_half(x[i]);
}

template <class T>
void store_brain(const void* from, void* to, int64_t n) {
  const T* __restrict x = static_cast<const T*>(from);
  Brain* __restrict out = static_cast<Brain*>(to);
  for (int64_t i = 0; i < n; ++i) out[i] = to_brain(x[i]);
}

#if defined(__F16C__)
void load_half_f32(const void* from, void* to, int64_t n) {
  const uint16_t* x = static_cast<const uint16_t*>(from);
  float* out = static_cast<float*>(to);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i));
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(half));
  }
  for (; i < n; ++i) out[i] = widen(Half{x[i]});
}

void store_half_f32(const void* from, void* to, int64_t n) {
  const float* x = static_cast<const float*>(from);
  uint16_t* out = static_cast<uint16_t*>(to);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(x + i), 0);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), half);
  }
  for (; i < n; ++i) out[i] = to_half(x[i]).bits;
}
#endif

constexpr size_t at(DType dtype) { return static_cast<size_t>(dtype); }

template <class T>
std::array<ConvertFn, kNumDTypes> loads() {
  std::array<ConvertFn, kNumDTypes> f = {};
  f[at(DType::Bool)] = load_bool<T>;
  f[at(DType::UInt8)] = load_as<T, uint8_t>;
  f[at(DType::Int8)] = load_as<T, int8_t>;
  f[at(DType::Int32)] = load_as<T, int32_t>;
  f[at(DType::Int64)] = load_as<T, int64_t>;
  f[at(DType::Float16)] = load_widened<T, Half>;
  f[at(DType::BFloat16)] = load_widened<T, Brain>;
  f[at(DType::Float32)] = load_as<T, float>;
  f[at(DType::Float64)] = load_as<T, double>;
#if defined(__F16C__)
  if constexpr (sizeof(T) == 4) f[at(DType::Float16)] = load_half_f32;
#endif
  return f;
}

template <class T>
std::array<ConvertFn, kNumDTypes> stores() {
  std::array<ConvertFn, kNumDTypes> f = {};
  f[at(DType::Bool)] = store_bool<T>;
  f[at(DType::UInt8)] = store_byte<T, uint8_t>;
  f[at(DType::Int8)] = store_byte<T, int8_t>;
  f[at(DType::Int32)] = store_as<T, int32_t>;
  f[at(DType::Int64)] = store_as<T, int64_t>;
  f[at(DType::Float16)] = store_half<T>;
  f[at(DType::BFloat16)] = store_brain<T>;
  f[at(DType::Float32)] = store_as<T, float>;
  f[at(DType::Float64)] = store_as<T, double>;
#if defined(__F16C__)
  if constexpr (sizeof(T) == 4) f[at(DType::Float16)] = store_half_f32;
#endif
  return f;
}

}  // namespace
}  // namespace addax::cpu::ADDAX_ISA
