// Reductions of values in memory at one ISA level; see simd.inl.
#pragma once

#include "cpu/map_reduce/scalar_ops.inl"
#include "cpu/map_reduce/tape_ops.h"

namespace addax::cpu::ADDAX_ISA {
namespace {

struct FoldSum : Add {
  template <class T>
  static T identity() {
    return 0;
  }
};
struct FoldProd : Multiply {
  template <class T>
  static T identity() {
    return 1;
  }
};
struct FoldMax : Maximum {
  template <class T>
  static T identity() {
    if constexpr (static_cast<T>(0.5) != 0) return static_cast<T>(-__builtin_inf());
    return static_cast<T>(INT64_MIN);
  }
};
struct FoldMin : Minimum {
  template <class T>
  static T identity() {
    if constexpr (static_cast<T>(0.5) != 0) return static_cast<T>(__builtin_inf());
    return static_cast<T>(INT64_MAX);
  }
};

// Lanes that a fold keeps apart: as many bytes at every level, hence the same sums.
template <class T>
constexpr int64_t kLanes = 256 / static_cast<int64_t>(sizeof(T));

template <class T, class Op>
void fold(const void* from, int64_t n, void* to) {
  constexpr int64_t kVectors = kLanes<T> / kWidth<T>;
  const T* x = static_cast<const T*>(from);
  Vec<T> lanes[kVectors];
  for (auto& lane : lanes) lane = broadcast(Op::template identity<T>());
  const int64_t whole = n - n % kLanes<T>;
  for (int64_t i = 0; i < whole; i += kLanes<T>) {
    for (int64_t v = 0; v < kVectors; ++v) {
      lanes[v] = Op::apply(lanes[v], load(x + i + v * kWidth<T>));
    }
  }
  alignas(kMaxVectorBytes) T rest[kLanes<T>];
  if (whole < n) {
    for (int64_t v = 0; v < kVectors; ++v) {
      store(rest + v * kWidth<T>, broadcast(Op::template identity<T>()));
    }
    for (int64_t i = whole; i < n; ++i) rest[i - whole] = x[i];
    for (int64_t v = 0; v < kVectors; ++v) {
      lanes[v] = Op::apply(lanes[v], load(rest + v * kWidth<T>));
    }
  }
  for (int64_t half = kVectors / 2; half > 0; half /= 2) {
    for (int64_t v = 0; v < half; ++v) lanes[v] = Op::apply(lanes[v], lanes[v + half]);
  }
  const auto apply = [](Vec<T> a, Vec<T> b) { return Op::apply(a, b); };
  *static_cast<T*>(to) = combine_lanes<T>(lanes[0], apply)[0];
}

// kVectors vectors of columns, or part of one.
template <class T, class Op, int64_t kVectors>
inline void fold_columns_of(const T* x, int64_t rows, int64_t stride, int64_t count, T* to) {
  Vec<T> sums[kVectors];
  for (int64_t v = 0; v < kVectors; ++v) sums[v] = load_up_to(to + v * kWidth<T>, count);
  for (int64_t row = 0; row < rows; ++row, x += stride) {
    for (int64_t v = 0; v < kVectors; ++v) {
      sums[v] = Op::apply(sums[v], load_up_to(x + v * kWidth<T>, count));
    }
  }
  for (int64_t v = 0; v < kVectors; ++v) store_up_to<T>(to + v * kWidth<T>, sums[v], count);
}

template <class T, class Op>
void fold_columns(const void* from, int64_t rows, int64_t cols, void* to) {
  const T* x = static_cast<const T*>(from);
  T* sums = static_cast<T*>(to);
  constexpr int64_t kAtOnce = 4;
  int64_t i = 0;
  for (; i + kAtOnce * kWidth<T> <= cols; i += kAtOnce * kWidth<T>) {
    fold_columns_of<T, Op, kAtOnce>(x + i, rows, cols, kWidth<T>, sums + i);
  }
  for (; i + kWidth<T> <= cols; i += kWidth<T>) {
    fold_columns_of<T, Op, 1>(x + i, rows, cols, kWidth<T>, sums + i);
  }
  if (i < cols) fold_columns_of<T, Op, 1>(x + i, rows, cols, cols - i, sums + i);
}

}  // namespace
}  // namespace addax::cpu::ADDAX_ISA
