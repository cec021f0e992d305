#include "cpu/map_reduce/tape.h"

#include "cpu/map_reduce/tape_compiler.h"

namespace addax::cpu {
DType dtype_of(ComputeClass c) {
  return c == ComputeClass::F32 ? DType::Float32
                                : (c == ComputeClass::F64 ? DType::Float64 : DType::Int64);
}

ComputeClass class_of(std::span<const DType> dtypes) {
  ComputeClass result = ComputeClass::I64;
  for (DType dtype : dtypes) {
    if (dtype == DType::Float64) return ComputeClass::F64;
    if (is_floating(dtype)) result = ComputeClass::F32;
  }
  return result;
}

const TapeOps& tape_ops(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return avx512::tape_ops();
  if (isa == Isa::Avx2) return avx2::tape_ops();
#endif
  static_cast<void>(isa);
  return portable::tape_ops();
}

Tape::Tape(const ScalarExpr& expr, ComputeClass c, Isa isa, std::span<const TapeInput> inputs,
           std::span<const TapeOutput> outputs)
    : class_(c), ops_(tape_ops(isa).of(c)) {
  TapeCompiler(*this, expr, inputs, outputs).compile();
  frame_bytes_ += static_cast<int64_t>(2 * places_.size() * sizeof(Operand));
}

}  // namespace addax::cpu
