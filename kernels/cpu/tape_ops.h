#pragma once

#include <array>
#include <cstdint>

#include "core/dtype.h"
#include "cpu/isa.h"
#include "ops/scalar_expr.h"

namespace addax::cpu {

// The type that a tape computes in; see ComputeClass's users for which dtypes map to which.
enum class ComputeClass : uint8_t { F32, F64, I64 };

constexpr int64_t size_of(ComputeClass c) { return c == ComputeClass::F32 ? 4 : 8; }

enum class ReduceKind : uint8_t { None, Sum, Max, Min, Prod };

// Instructions work on whole vectors: they read and write up to this many bytes, rounded up from
// what they are asked for.
inline constexpr int64_t kMaxVectorBytes = 64;

// An operand of an instruction: `step` is -1 for a run of values and 0 for kMaxVectorBytes of one
// value.
struct Operand {
  const void* data = nullptr;
  int64_t step = -1;
};

inline constexpr size_t kNumScalarOps = static_cast<size_t>(ScalarOp::Where) + 1;
inline constexpr size_t kNumReduceKinds = 5;

// Applies one instruction to n values: to[i] = op(a[i], b[i], c[i]). `to` may be an operand itself.
using InstructionFn = void (*)(void* to, Operand a, Operand b, Operand c, int64_t n);
// Converts exactly n values; the ranges do not overlap.
using ConvertFn = void (*)(const void* from, void* to, int64_t n);
// Writes the reduction of n values to `to`. The order is a tree over lanes that is the same at
// every level.
using FoldFn = void (*)(const void* from, int64_t n, void* to);
// Takes `rows` rows of `cols` values, dense, one after the other into the `cols` values at `to`.
using FoldColumnsFn = void (*)(const void* from, int64_t rows, int64_t cols, void* to);

// The kernels of one class at one ISA level. A null instruction is not defined in that class.
struct ClassOps {
  std::array<InstructionFn, kNumScalarOps> ops = {};
  std::array<ConvertFn, kNumDTypes> load = {};   // from a dtype to the class
  std::array<ConvertFn, kNumDTypes> store = {};  // from the class to a dtype
  std::array<FoldFn, kNumReduceKinds> fold = {};
  std::array<FoldColumnsFn, kNumReduceKinds> fold_columns = {};

  InstructionFn op(ScalarOp which) const { return ops[static_cast<size_t>(which)]; }
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
