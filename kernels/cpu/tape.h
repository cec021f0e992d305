#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cpu/kernel.h"
#include "cpu/strides.h"
#include "cpu/tape_ops.h"
#include "ops/scalar_expr.h"

namespace addax::cpu {

// Bytes of one value slot: small enough that a dozen slots stay in the L1 cache.
inline constexpr int64_t kBlockBytes = 4096;

// Elements that one evaluation handles at most.
constexpr int64_t block_size(ComputeClass c) { return kBlockBytes / size_of(c); }

// The dtype that a class computes in, and the class that an elementwise op on these dtypes computes
// in.
DType dtype_of(ComputeClass c);
ComputeClass class_of(std::span<const DType> dtypes);

// One input of a tape: a tensor seen through strides over the tape's domain.
struct TapeInput {
  Tensor tensor;
  StridedView view;
};

// A scalar expression compiled for one class and ISA level: instructions over slots, where a slot
// holds a block of values. Inputs that lie dense in the class's own dtype are read, and such
// outputs written, where they are.
class Tape {
 public:
  // Throws UnsupportedError when the class lacks one of the expression's ops. `outputs` holds one
  // tensor per output of the expression, null where the caller only wants the slot.
  Tape(const ScalarExpr& expr, ComputeClass c, Isa isa, std::vector<TapeInput> inputs,
       std::span<const Tensor* const> outputs);

  ComputeClass compute() const { return class_; }
  const ClassOps& kernels() const { return ops_; }
  // Work per element as Stage::cost counts it, without the bytes of inputs and outputs.
  double cost_per_element() const { return cost_; }

 private:
  friend class TapeRun;

  struct Instruction {
    InstructionFn apply;
    int32_t to, a, b, c;
  };
  enum class InputKind : uint8_t { Uniform, Dense, Converted, Strided };
  struct Input {
    InputKind kind;
    int32_t tensor;
    DType dtype;
    int64_t item;
    ConvertFn load;
    StridedView view;
    int64_t period;  // elements after which a strided view repeats itself
  };
  struct Constant {
    int32_t slot;
    double value;
  };
  struct Output {
    int32_t slot;     // after begin: a run of values
    int32_t uniform;  // the slot of one value that fills `slot`, or -1
    int32_t tensor;   // or -1
    int64_t item;
    bool in_place;  // the instruction writes the tensor itself
    ConvertFn store;
  };

  void add_inputs();
  void lower(const ScalarExpr& expr);
  void add_outputs(const ScalarExpr& expr, std::span<const Tensor* const> outputs);
  bool may_write_in_place(const Tensor& output, int32_t producer) const;
  int32_t new_slot(bool uniform);

  ComputeClass class_;
  const ClassOps& ops_;
  double cost_ = 0;
  std::vector<TapeInput> described_;
  std::vector<Input> inputs_;
  std::vector<Constant> constants_;
  std::vector<Instruction> prologue_;  // on uniform values, once per run
  std::vector<Instruction> body_;
  std::vector<Output> outputs_;
  std::vector<int64_t> slot_offsets_;  // in the frame
  std::vector<bool> slot_uniform_;
  int64_t frame_bytes_ = 0;

  // While compiling: where each value of the expression lives, who makes it and who reads it last.
  std::vector<int32_t> value_slot_;
  std::vector<int32_t> producer_;
  std::vector<int32_t> last_use_;  // of an input, by body instruction
};

// Evaluates a tape on one thread, block by block. Uses the thread's Scratch::Tape memory: one at a
// time.
class TapeRun {
 public:
  TapeRun(const Tape& tape, const RunContext& context);

  // Computes elements [begin, begin + n) of the domain, n <= block_size.
  void evaluate(int64_t begin, int64_t n);
  // Writes output `i` of the last evaluation to its tensor at the same position.
  void store(size_t i) const;
  // The values of output `i`.
  const std::byte* values(size_t i) const;

 private:
  template <class T>
  static void gather(const std::byte* from, int64_t stride, int64_t count, std::byte* to) {
    T* out = reinterpret_cast<T*>(to);
    for (int64_t i = 0; i < count; ++i) {
      out[i] = *reinterpret_cast<const T*>(from + i * stride);
    }
  }
  const Operand& slot(int32_t i) const { return slots_[i]; }
  bool is_loaded(const Tape::Input& input, int64_t begin, int64_t n) const;
  void load_uniform(const Tape::Input& input, std::byte* to) const;
  void load_strided(const Tape::Input& input, int64_t begin, int64_t n, std::byte* to) const;
  void fill(std::byte* to, const std::byte* value, int64_t count) const;

  const Tape& tape_;
  const RunContext& context_;
  std::byte* frame_;
  Operand* slots_;
  int64_t begin_ = 0;
  int64_t n_ = 0;
  bool whole_ =
      false;  // the block is whole vectors: tensors may be read and written where they lie
};

}  // namespace addax::cpu
