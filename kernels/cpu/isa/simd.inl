// Vectors of one ISA level. A source file defines ADDAX_ISA (the namespace) and ADDAX_VECTOR_BYTES,
// and includes the .inl files it needs; everything in them has internal linkage, so that the linker
// can't replace a function of one level by that of another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace addax::cpu::ADDAX_ISA {
namespace {

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(ADDAX_VECTOR_BYTES)));
};
template <class T>
using Vec = typename VectorOf<T>::type;

template <class T>
constexpr int64_t kWidth = ADDAX_VECTOR_BYTES / static_cast<int64_t>(sizeof(T));

template <class T>
inline Vec<T> load(const T* from) {
  Vec<T> v;
  __builtin_memcpy(&v, from, sizeof(v));
  return v;
}

template <class T>
inline void store(T* to, Vec<T> v) {
  __builtin_memcpy(to, &v, sizeof(v));
}

template <class T>
inline Vec<T> broadcast(T value) {
  return value - Vec<T>{};
}

// Lane i of the result is lane i + kBy, around the end.
template <int kBy, class V, size_t... kLane>
inline V rotate(V v, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(v, v, static_cast<int>((kLane + kBy) % sizeof...(kLane))...);
}

// The lanes of v combined by a commutative `op`, in every lane: a tree of halves.
template <class T, int kHalf = kWidth<T> / 2, class Op>
inline Vec<T> combine_lanes(Vec<T> v, const Op& op) {
  v = op(v, rotate<kHalf>(v, std::make_index_sequence<kWidth<T>>()));
  if constexpr (kHalf > 1) return combine_lanes<T, kHalf / 2>(v, op);
  return v;
}

// The first `count` < kWidth elements, `rest` in the others.
template <class T>
inline Vec<T> load_part(const T* from, int64_t count, T rest = T{}) {
  Vec<T> v = broadcast(rest);
#if ADDAX_VECTOR_BYTES == 64 && defined(__AVX512F__)
  const auto mask = (1u << count) - 1;
  if constexpr (sizeof(T) == 4) {
    const __m512i old = __builtin_bit_cast(__m512i, v);
    const __m512i bits = _mm512_mask_loadu_epi32(old, static_cast<__mmask16>(mask), from);
    return __builtin_bit_cast(Vec<T>, bits);
  }
  if constexpr (sizeof(T) == 8) {
    const __m512i old = __builtin_bit_cast(__m512i, v);
    const __m512i bits = _mm512_mask_loadu_epi64(old, static_cast<__mmask8>(mask), from);
    return __builtin_bit_cast(Vec<T>, bits);
  }
#endif
  for (int64_t i = 0; i < count; ++i) v[i] = from[i];
  return v;
}

template <class T>
inline void store_part(T* to, Vec<T> v, int64_t count) {
#if ADDAX_VECTOR_BYTES == 64 && defined(__AVX512F__)
  const auto mask = (1u << count) - 1;
  const __m512i bits = __builtin_bit_cast(__m512i, v);
  if constexpr (sizeof(T) == 4) {
    _mm512_mask_storeu_epi32(to, static_cast<__mmask16>(mask), bits);
    return;
  }
  if constexpr (sizeof(T) == 8) {
    _mm512_mask_storeu_epi64(to, static_cast<__mmask8>(mask), bits);
    return;
  }
#endif
  for (int64_t i = 0; i < count; ++i) to[i] = v[i];
}

// Calls body(offset, count) for whole vectors (count = kWidth) and then for the rest.
template <class T, class Body>
inline void for_vectors(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + kWidth<T> <= n; i += kWidth<T>) body(i, kWidth<T>);
  if (i < n) body(i, n - i);
}

template <class T>
inline Vec<T> load_up_to(const T* from, int64_t count, T rest = T{}) {
  return count == kWidth<T> ? load(from) : load_part(from, count, rest);
}

template <class T>
inline void store_up_to(T* to, Vec<T> v, int64_t count) {
  if (count == kWidth<T>) {
    store(to, v);
  } else {
    store_part(to, v, count);
  }
}

template <class To, class From>
inline To bits_as(From from) {
  return __builtin_bit_cast(To, from);
}

inline Vec<float> square_root(Vec<float> x) {
#if ADDAX_VECTOR_BYTES == 64 && defined(__AVX512F__)
  return bits_as<Vec<float>>(_mm512_maskz_sqrt_ps(0xffff, bits_as<__m512>(x)));
#elif ADDAX_VECTOR_BYTES == 32 && defined(__AVX2__)
  return bits_as<Vec<float>>(_mm256_sqrt_ps(bits_as<__m256>(x)));
#else
  for (int64_t i = 0; i < kWidth<float>; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

inline Vec<double> square_root(Vec<double> x) {
#if ADDAX_VECTOR_BYTES == 64 && defined(__AVX512F__)
  return bits_as<Vec<double>>(_mm512_maskz_sqrt_pd(0xff, bits_as<__m512d>(x)));
#elif ADDAX_VECTOR_BYTES == 32 && defined(__AVX2__)
  return bits_as<Vec<double>>(_mm256_sqrt_pd(bits_as<__m256d>(x)));
#else
  for (int64_t i = 0; i < kWidth<double>; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
#endif
}

}  // namespace
}  // namespace addax::cpu::ADDAX_ISA
