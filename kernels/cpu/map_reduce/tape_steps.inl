// The steps of a tape at one ISA level; see simd.inl. Every step ends in a call of the step behind
// it with the accumulator as arguments, which a compiler that optimises turns into a jump: between
// steps the accumulator stays in registers.
#pragma once

#include <array>
#include <type_traits>
#include <utility>

#include "cpu/map_reduce/convert.inl"
#include "cpu/map_reduce/scalar_ops.inl"
#include "cpu/map_reduce/tape_ops.h"

namespace addax::cpu::ADDAX_ISA {
namespace {

// ---- What a step does to one vector of the accumulator, whose counterparts in the step's operands
// lie at x and y ----

struct LoadValues {
  template <class T>
  static Vec<T> apply(Vec<T>, T* x, T*) {
    return load(x);
  }
};

struct StoreValues {
  template <class T>
  static Vec<T> apply(Vec<T> acc, T* x, T*) {
    store(x, acc);
    return acc;
  }
};

template <class Op>
struct Accumulate {
  template <class T>
  static Vec<T> apply(Vec<T> acc, T* x, T*) {
    store(x, Op::apply(load(x), acc));
    return acc;
  }
};

struct Square {
  template <class T>
  static Vec<T> apply(Vec<T> acc, T*, T*) {
    return multiply(acc, acc);
  }
};

template <class Op>
struct Unary {
  template <class T>
  static Vec<T> apply(Vec<T> acc, T*, T*) {
    return Op::apply(acc);
  }
};

// The accumulator is operand kAcc of the op.
template <class Op, int kAcc>
struct Binary {
  template <class T>
  static Vec<T> apply(Vec<T> acc, T* x, T*) {
    if constexpr (kAcc == 0) return Op::apply(acc, load(x));
    return Op::apply(load(x), acc);
  }
};

template <class Op, int kAcc>
struct Ternary {
  template <class T>
  static Vec<T> apply(Vec<T> acc, T* x, T* y) {
    if constexpr (kAcc == 0) return Op::apply(acc, load(x), load(y));
    if constexpr (kAcc == 1) return Op::apply(load(x), acc, load(y));
    return Op::apply(load(x), load(y), acc);
  }
};

// ---- Steps ----

// How far ahead of a tile a tensor is fetched: as much as DRAM's latency takes to deliver, and more
// than a page, where the processor's own prefetching ends.
constexpr int64_t kPrefetchBytes = 4096;

template <class T, size_t>
using VecAt = Vec<T>;

// Those whose accumulator has one vector for each index.
template <class T, class Index>
struct Steps;

template <class T, size_t... k>
struct Steps<T, std::index_sequence<k...>> {
  using Fn = void (*)(const Step*, const Operand*, int64_t, VecAt<T, k>...);
  static constexpr bool kIsWide = sizeof...(k) > 1;
  static constexpr int64_t kSize = static_cast<int64_t>(sizeof...(k)) * kWidth<T>;

  static void call(const Step* step, const Operand* operands, int64_t at, VecAt<T, k>... acc) {
    const StepFn fn = kIsWide ? step->apply.wide : step->apply.narrow;
    reinterpret_cast<Fn>(fn)(step, operands, at, acc...);
  }

  static const Operand& operand(const Operand* operands, uint32_t offset) {
    return *reinterpret_cast<const Operand*>(reinterpret_cast<const std::byte*>(operands) + offset);
  }
  static T* tile(const Operand* operands, uint32_t offset, int64_t at) {
    const Operand& found = operand(operands, offset);
    return static_cast<T*>(found.data) + (at & found.mask);
  }

  template <class Micro>
  static void apply(const Step* step, const Operand* operands, int64_t at, VecAt<T, k>... acc) {
    T* x = tile(operands, step->a, at);
    T* y = tile(operands, step->b, at);
    call(step + 1, operands, at, Micro::apply(acc, x + k * kWidth<T>, y + k * kWidth<T>)...);
  }

  // A long computation: one vector after the other.
  template <class Op>
  static void apply_in_turn(const Step* step, const Operand* operands, int64_t at,
                            VecAt<T, k>... acc) {
    Vec<T> vectors[] = {acc...};
#pragma GCC unroll 1
    for (Vec<T>& v : vectors) v = Op::apply(v);
    call(step + 1, operands, at, vectors[k]...);
  }

  template <class Item, ConvertFn kConvert>
  static void load_tensor(const Step* step, const Operand* operands, int64_t at, VecAt<T, k>...) {
    alignas(kMaxVectorBytes) T values[kSize];
    kConvert(static_cast<const Item*>(operand(operands, step->a).data) + at, values, kSize);
    call(step + 1, operands, at, load(values + k * kWidth<T>)...);
  }

  template <class Item, ConvertFn kConvert>
  static void store_tensor(const Step* step, const Operand* operands, int64_t at,
                           VecAt<T, k>... acc) {
    alignas(kMaxVectorBytes) T values[kSize];
    (store(values + k * kWidth<T>, acc), ...);
    kConvert(values, static_cast<Item*>(operand(operands, step->a).data) + at, kSize);
    call(step + 1, operands, at, acc...);
  }

  // What later tiles will read of a tensor.
  template <class Item>
  static void prefetch(const Step* step, const Operand* operands, int64_t at, VecAt<T, k>... acc) {
    const auto* from = static_cast<const Item*>(operand(operands, step->a).data) + at;
    constexpr int64_t kLines = kSize * static_cast<int64_t>(sizeof(Item)) / 64;
    for (int64_t i = 0; i < kLines; ++i) {
      __builtin_prefetch(reinterpret_cast<const std::byte*>(from) + kPrefetchBytes + 64 * i);
    }
    call(step + 1, operands, at, acc...);
  }

  static void end(const Step*, const Operand*, int64_t, VecAt<T, k>...) {}
};

// As many vectors as calls pass in registers.
template <class T>
using Wide = Steps<T, std::make_index_sequence<8>>;
template <class T>
using Narrow = Steps<T, std::make_index_sequence<1>>;

template <class T>
void run_steps(const Step* steps, const Operand* operands, int64_t begin, int64_t end) {
  const auto run_tile = [&]<size_t... k>(Steps<T, std::index_sequence<k...>>) {
    Steps<T, std::index_sequence<k...>>::call(steps, operands, begin, VecAt<T, k>{}...);
  };
  for (; begin + Wide<T>::kSize <= end; begin += Wide<T>::kSize) run_tile(Wide<T>{});
  for (; begin < end; begin += Narrow<T>::kSize) run_tile(Narrow<T>{});
}

// The functions that `pick` finds in the steps of either width.
template <class T, class Pick>
StepFns steps_of(const Pick& pick) {
  return {reinterpret_cast<StepFn>(pick(Wide<T>{})), reinterpret_cast<StepFn>(pick(Narrow<T>{}))};
}

template <class T, class Micro>
StepFns step() {
  return steps_of<T>([](auto steps) { return steps.template apply<Micro>; });
}

using OpSteps = std::array<StepFns, 3>;

template <class T, class Op>
OpSteps unary() {
  return {step<T, Unary<Op>>()};
}

template <class T, class Op>
OpSteps unary_in_turn() {
  return {steps_of<T>([](auto steps) { return steps.template apply_in_turn<Op>; })};
}

template <class T, class Op>
OpSteps binary() {
  return {step<T, Binary<Op, 0>>(), step<T, Binary<Op, 1>>()};
}

template <class T, class Op>
OpSteps commutative() {
  return {step<T, Binary<Op, 0>>(), step<T, Binary<Op, 0>>()};
}

template <class T, class Op>
OpSteps ternary() {
  return {step<T, Ternary<Op, 0>>(), step<T, Ternary<Op, 1>>(), step<T, Ternary<Op, 2>>()};
}

}  // namespace
}  // namespace addax::cpu::ADDAX_ISA
