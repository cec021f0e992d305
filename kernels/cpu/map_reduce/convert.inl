// Conversions between dtypes and compute classes at one ISA level; see simd.inl. Floats round to
// nearest even, floats to integers truncate, integers wrap, bool is `!= 0`.
#pragma once

#include "core/dtype.h"
#include "core/float16.h"
#include "cpu/isa/simd.inl"
#include "cpu/map_reduce/tape_ops.h"

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
  const int64_t whole = n - n % 8;
  for (int64_t i = 0; i < whole; i += 8) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i));
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(half));
  }
  for (int64_t i = whole; i < n; ++i) out[i] = widen(Half{x[i]});
}

void store_half_f32(const void* from, void* to, int64_t n) {
  const float* x = static_cast<const float*>(from);
  uint16_t* out = static_cast<uint16_t*>(to);
  const int64_t whole = n - n % 8;
  for (int64_t i = 0; i < whole; i += 8) {
    const __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(x + i), 0);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), half);
  }
  for (int64_t i = whole; i < n; ++i) out[i] = to_half(x[i]).bits;
}
#endif

constexpr size_t at(DType dtype) { return static_cast<size_t>(dtype); }

// Calls visit<Item, function>(dtype) for every dtype, whose values are Items, with the function
// that converts them to T.
template <class T, class Visit>
void visit_loads(const Visit& visit) {
  visit.template operator()<uint8_t, load_bool<T>>(DType::Bool);
  visit.template operator()<uint8_t, load_as<T, uint8_t>>(DType::UInt8);
  visit.template operator()<int8_t, load_as<T, int8_t>>(DType::Int8);
  visit.template operator()<int32_t, load_as<T, int32_t>>(DType::Int32);
  visit.template operator()<int64_t, load_as<T, int64_t>>(DType::Int64);
#if defined(__F16C__)
  constexpr ConvertFn kLoadHalf = sizeof(T) == 4 ? load_half_f32 : load_widened<T, Half>;
#else
  constexpr ConvertFn kLoadHalf = load_widened<T, Half>;
#endif
  visit.template operator()<Half, kLoadHalf>(DType::Float16);
  visit.template operator()<Brain, load_widened<T, Brain>>(DType::BFloat16);
  visit.template operator()<float, load_as<T, float>>(DType::Float32);
  visit.template operator()<double, load_as<T, double>>(DType::Float64);
}

// The same for functions from T to a dtype.
template <class T, class Visit>
void visit_stores(const Visit& visit) {
  visit.template operator()<uint8_t, store_bool<T>>(DType::Bool);
  visit.template operator()<uint8_t, store_byte<T, uint8_t>>(DType::UInt8);
  visit.template operator()<int8_t, store_byte<T, int8_t>>(DType::Int8);
  visit.template operator()<int32_t, store_as<T, int32_t>>(DType::Int32);
  visit.template operator()<int64_t, store_as<T, int64_t>>(DType::Int64);
#if defined(__F16C__)
  constexpr ConvertFn kStoreHalf = sizeof(T) == 4 ? store_half_f32 : store_half<T>;
#else
  constexpr ConvertFn kStoreHalf = store_half<T>;
#endif
  visit.template operator()<Half, kStoreHalf>(DType::Float16);
  visit.template operator()<Brain, store_brain<T>>(DType::BFloat16);
  visit.template operator()<float, store_as<T, float>>(DType::Float32);
  visit.template operator()<double, store_as<T, double>>(DType::Float64);
}

}  // namespace
}  // namespace addax::cpu::ADDAX_ISA
