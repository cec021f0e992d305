#pragma once

#include <array>
#include <cstdint>

#include "core/dtype.h"
#include "cpu/isa/isa.h"
#include "ops/scalar_expr.h"

namespace addax::cpu {

// The type that a tape computes in; see ComputeClass's users for which dtypes map to which.
enum class ComputeClass : uint8_t { F32, F64, I64 };

constexpr int64_t size_of(ComputeClass c) { return c == ComputeClass::F32 ? 4 : 8; }

enum class ReduceKind : uint8_t { None, Sum, Max, Min, Prod };

// Steps work on whole vectors: they read and write up to this many bytes of the class's values,
// rounded up from what they are asked for.
inline constexpr int64_t kMaxVectorBytes = 64;
// The most that one step works on at once.
inline constexpr int64_t kMaxTileBytes = 8 * kMaxVectorBytes;

// Memory that a step reads or writes: the value at position i is that at `i & mask` there. The mask
// is -1 for a tensor, a power of two less one for a run of values that repeats itself, and 0 for
// kMaxTileBytes of one value.
struct Operand {
  void* data = nullptr;
  int64_t mask = -1;
};

// A function of one ISA level, which alone knows its signature; see tape_steps.inl.
using StepFn = void (*)();

// What a step does, to a tile of several vectors and to one vector.
struct StepFns {
  StepFn wide = nullptr;
  StepFn narrow = nullptr;
};

// A step changes the accumulator, a tile of values that stays in registers, or writes it to memory,
// and calls the step behind it. The last one returns.
struct Step {
  StepFns apply;
  uint32_t a = 0;  // operands: bytes from the first one
  uint32_t b = 0;
};

inline constexpr size_t kNumScalarOps = static_cast<size_t>(ScalarOp::Where) + 1;
inline constexpr size_t kNumReduceKinds = 5;

// Takes values [begin, end) through the steps, tile by tile.
using RunStepsFn = void (*)(const Step* steps, const Operand* operands, int64_t begin, int64_t end);
// Converts exactly n values; the ranges do not overlap.
using ConvertFn = void (*)(const void* from, void* to, int64_t n);
// Writes the reduction of n values to `to`. The order is a tree over lanes that is the same at
// every level.
using FoldFn = void (*)(const void* from, int64_t n, void* to);
// Takes `rows` rows of `cols` values, dense, one after the other into the `cols` values at `to`.
using FoldColumnsFn = void (*)(const void* from, int64_t rows, int64_t cols, void* to);

// The kernels of one class at one ISA level.
struct ClassOps {
  DType dtype = DType::Float32;  // of the class's values
  // The steps of an op, by which of its operands the accumulator is; the others are `a` and `b` in
  // their order. Null for an op that is not defined in the class.
  std::array<std::array<StepFns, 3>, kNumScalarOps> ops = {};
  StepFns square;
  StepFns load_values;  // the class's values
  StepFns store_values;
  std::array<StepFns, kNumDTypes> load_tensor = {};  // dense values of a dtype
  std::array<StepFns, kNumDTypes> store_tensor = {};
  std::array<StepFns, kNumDTypes> prefetch = {};
  std::array<StepFns, kNumReduceKinds> accumulate = {};  // into values, each by itself
  StepFns end;
  RunStepsFn run = nullptr;

  std::array<ConvertFn, kNumDTypes> load = {};   // from a dtype to the class
  std::array<ConvertFn, kNumDTypes> store = {};  // from the class to a dtype
  std::array<FoldFn, kNumReduceKinds> fold = {};
  std::array<FoldColumnsFn, kNumReduceKinds> fold_columns = {};

  const std::array<StepFns, 3>& op(ScalarOp which) const { return ops[static_cast<size_t>(which)]; }
  bool has(ScalarOp which) const { return op(which)[0].wide != nullptr; }
};

struct TapeOps {
  ClassOps f32;
  ClassOps f64;
  ClassOps i64;

  const ClassOps& of(ComputeClass c) const {
    return c == ComputeClass::F32 ? f32 : (c == ComputeClass::F64 ? f64 : i64);
  }
};

// The table of a level that the processor has.
const TapeOps& tape_ops(Isa isa);

namespace portable {
const TapeOps& tape_ops();
}
namespace avx2 {
const TapeOps& tape_ops();
}
namespace avx512 {
const TapeOps& tape_ops();
}

}  // namespace addax::cpu
