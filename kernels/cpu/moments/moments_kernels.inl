// Moments over rows at one ISA level; see simd.inl.
#pragma once

#include <algorithm>
#include <cstring>

#include "cpu/isa/simd.inl"
#include "cpu/moments/moments_kernels.h"

namespace addax::cpu::ADDAX_ISA {
namespace {

// Rows at a time, few enough to stay in L1 and for their sums to round little.
constexpr int64_t kRun = 32;

// Vectors of columns at a time: their sums do not wait for each other.
constexpr int kTogether = 4;

inline Vec<float> wide(const float* from, int64_t count) { return load_up_to(from, count); }
inline Vec<double> wide(const double* from, int64_t count) { return load_up_to(from, count); }
inline Vec<float> wide(const BFloat16* from, int64_t count) {
  typedef uint16_t Bits __attribute__((vector_size(ADDAX_VECTOR_BYTES / 2)));
  Bits bits = {};
  if (count == kWidth<float>) {
    std::memcpy(&bits, from, sizeof(bits));
  } else {
    std::memcpy(&bits, from, static_cast<size_t>(count) * sizeof(BFloat16));
  }
  return bits_as<Vec<float>>(__builtin_convertvector(bits, Vec<uint32_t>) << 16);
}

// A run's rows of kVectors vectors of columns, the last of which has `count` columns. `moments`
// begin at these columns. Where the rows before are less than a run, their sums are taken from a
// better shift, the mean of these rows, too.
template <class T, int kVectors>
void add_columns(const T* x, int64_t x_row, int64_t run, int64_t count,
                 const Moments<Sum<T>>& moments) {
  using S = Sum<T>;
  constexpr int64_t kLanes = kWidth<S>;
  const auto lanes = [&](int v) { return v + 1 == kVectors ? count : kLanes; };
  Vec<S> shift[kVectors] = {}, sum[kVectors] = {}, squares[kVectors] = {};
  const auto before = static_cast<S>(moments.rows);
  for (int v = 0; moments.rows > 0 && v < kVectors; ++v) {
    shift[v] = load_up_to(moments.shift + v * kLanes, lanes(v));
    sum[v] = load_up_to(moments.sum + v * kLanes, lanes(v));
    squares[v] = load_up_to(moments.squares + v * kLanes, lanes(v));
  }
  for (int v = 0; moments.rows < kRun && v < kVectors; ++v) {
    Vec<S> apart = sum[v];
    for (int64_t row = 0; row < run; ++row) {
      apart += wide(x + row * x_row + v * kLanes, lanes(v)) - shift[v];
    }
    apart *= 1 / (before + static_cast<S>(run));
    shift[v] += apart;
    squares[v] -= apart * (sum[v] + sum[v] - apart * before);
    sum[v] -= apart * before;
    store_up_to(moments.shift + v * kLanes, shift[v], lanes(v));
  }
  for (int64_t row = 0; row < run; ++row) {
    for (int v = 0; v < kVectors; ++v) {
      const Vec<S> difference = wide(x + row * x_row + v * kLanes, lanes(v)) - shift[v];
      sum[v] += difference;
      squares[v] += difference * difference;
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    store_up_to(moments.sum + v * kLanes, sum[v], lanes(v));
    store_up_to(moments.squares + v * kLanes, squares[v], lanes(v));
  }
}

template <class T>
void add(const T* x, int64_t x_row, int64_t rows, int64_t cols, Moments<Sum<T>>& moments) {
  constexpr int64_t kLanes = kWidth<Sum<T>>;
  for (int64_t first = 0; first < rows; first += kRun) {
    const int64_t run = std::min(kRun, rows - first);
    const T* part = x + first * x_row;
    int64_t col = 0;
    for (; col + kTogether * kLanes <= cols; col += kTogether * kLanes) {
      add_columns<T, kTogether>(part + col, x_row, run, kLanes, moments.from(col));
    }
    for (; col < cols; col += kLanes) {
      add_columns<T, 1>(part + col, x_row, run, std::min(kLanes, cols - col), moments.from(col));
    }
    moments.rows += run;
  }
}

// The parts' sums, taken from the mean of all instead of their own shifts.
template <class S>
void finish(std::span<const Moments<S>> parts, int64_t first, int64_t cols, S* mean, S* variance) {
  int64_t rows = 0;
  for (const Moments<S>& part : parts) rows += part.rows;
  const S share = 1 / static_cast<S>(rows);
  for_vectors<S>(cols, [&](int64_t i, int64_t count) {
    const int64_t col = first + i;
    const Vec<S> origin = load_up_to(parts[0].shift + col, count);
    Vec<S> apart = {};
    for (const Moments<S>& part : parts) {
      const Vec<S> shift = load_up_to(part.shift + col, count) - origin;
      apart += shift * static_cast<S>(part.rows) + load_up_to(part.sum + col, count);
    }
    const Vec<S> centre = origin + apart * share;
    Vec<S> sum = {}, squares = {};
    for (const Moments<S>& part : parts) {
      const Vec<S> shift = load_up_to(part.shift + col, count) - centre;
      const Vec<S> shifts = shift * static_cast<S>(part.rows);
      const Vec<S> part_sum = load_up_to(part.sum + col, count);
      sum += part_sum + shifts;
      squares += load_up_to(part.squares + col, count) + shift * (part_sum + part_sum + shifts);
    }
    const Vec<S> offset = sum * share;
    const Vec<S> result = squares * share - offset * offset;
    store_up_to(mean + col, centre + offset, count);
    store_up_to(variance + col, result < 0 ? Vec<S>{} : result, count);
  });
}

}  // namespace

constinit const MomentsTable kMoments = {
    {add<float>, finish<float>}, {add<double>, finish<double>}, {add<BFloat16>, finish<float>}};

}  // namespace addax::cpu::ADDAX_ISA
