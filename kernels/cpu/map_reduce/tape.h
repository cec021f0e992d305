#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cpu/map_reduce/tape_ops.h"
#include "cpu/movement/strides.h"
#include "cpu/runtime/kernel.h"
#include "ops/scalar_expr.h"

namespace addax::cpu {

// Bytes of a run of values in memory: small enough that several stay in the L1 cache.
inline constexpr int64_t kBlockBytes = 4096;

// Elements of such a run.
constexpr int64_t block_size(ComputeClass c) { return kBlockBytes / size_of(c); }

// Blocks that one evaluation has at most.
inline constexpr int64_t kMaxBlocks = 32;

// The dtype that a class computes in, and the class that an elementwise op on these dtypes computes
// in.
DType dtype_of(ComputeClass c);
ComputeClass class_of(std::span<const DType> dtypes);

// One input of a tape: a tensor seen through strides over the tape's domain.
struct TapeInput {
  Tensor tensor;
  StridedView view;
};

// What becomes of an output of the expression: it is written to a dense tensor over the domain, or
// its values are kept for the caller, or accumulated by `reduction` into the caller's.
struct TapeOutput {
  enum class Kind : uint8_t { Tensor, Values, Accumulated };

  Kind kind = Kind::Tensor;
  Tensor tensor = {};
  ReduceKind reduction = ReduceKind::None;
};

// A scalar expression compiled for one class and ISA level: steps over an accumulator in registers.
// Tensors that lie dense are read and written where they are; values that the accumulator can't
// hold until they are needed are kept in memory.
class Tape {
 public:
  // Throws UnsupportedError when the class lacks one of the expression's ops.
  Tape(const ScalarExpr& expr, ComputeClass c, Isa isa, std::span<const TapeInput> inputs,
       std::span<const TapeOutput> outputs);

  ComputeClass compute() const { return class_; }
  const ClassOps& kernels() const { return ops_; }
  // Work per element as Stage::cost counts it, without the bytes of inputs and outputs.
  double cost_per_element() const { return cost_; }
  // Elements that evaluations should be apart, at most a block, and how many one may have, a
  // multiple of those; one of at most a block may always be made.
  int64_t unit() const { return unit_; }
  int64_t most() const { return most_; }
  // Of a run, in scratch memory.
  int64_t frame_bytes() const { return frame_bytes_; }

 private:
  friend class TapeCompiler;
  friend class TapeRun;

  // Operands of the steps, by index.
  struct Uniform {  // an input of one value
    int32_t operand;
    int32_t tensor;
    ConvertFn load;
  };
  struct Constant {
    int32_t operand;
    double value;
  };
  struct Strided {  // an input whose values are gathered before the steps run
    int32_t operand;
    int32_t tensor;
    int64_t item;
    ConvertFn load;
    StridedView view;
    int64_t period;  // elements after which the view repeats itself
    bool in_rows;    // it runs along dense values of the class
  };
  struct Outside {  // memory outside the frame that the steps work on
    int32_t operand;
    int32_t tensor;  // dense over the domain, or -1 for values that are accumulated
    int64_t item;
    bool written;
  };
  struct Deferred {  // an output that must not be written before all inputs are read
    int32_t operand;
    int32_t tensor;
    int64_t item;
    ConvertFn store;
  };
  // Where an operand lies in the frame; an operand that lies elsewhere for whole vectors has room
  // for one there.
  struct Place {
    int64_t offset;
    int64_t mask;
  };

  ComputeClass class_;
  const ClassOps& ops_;
  double cost_ = 0;
  int64_t unit_ = 0;
  int64_t most_ = 0;
  std::vector<Uniform> uniforms_;
  std::vector<Constant> constants_;
  std::vector<Strided> strided_;
  std::vector<Outside> outside_;
  std::vector<Deferred> deferred_;
  std::vector<int32_t> outputs_;  // the operand of every output that no tensor is
  std::vector<Step> prologue_;    // on uniform values, once per run
  std::vector<Step> body_;
  std::vector<Place> places_;
  int64_t frame_bytes_ = 0;
};

// Evaluates a tape on one thread. Uses the thread's Scratch::Tape memory: one at a
// time.
class TapeRun {
 public:
  TapeRun(const Tape& tape, const RunContext& context);

  // Where output `i` is accumulated: as many values as the largest evaluation has, or a block, to
  // which the values of further blocks are added.
  void accumulate_into(size_t i, std::byte* values);
  // Computes elements [begin, begin + n) of the domain; see Tape::most.
  void evaluate(int64_t begin, int64_t n);
  // The values of output `i` in the last evaluation, if it keeps them.
  const std::byte* values(size_t i) const;

 private:
  int64_t vector_size() const { return kMaxVectorBytes / size_of(tape_.class_); }
  std::byte* frame_at(int32_t operand) const;
  Operand& output(size_t i) const;
  void run_rest(int64_t begin, int64_t n) const;
  void load_strided(const Tape::Strided& input, int64_t begin, int64_t n) const;
  void copy_strided(const Tape::Strided& input, StridedCursor& cursor, int64_t n) const;
  void fill(std::byte* to, const std::byte* value, int64_t count) const;

  const Tape& tape_;
  const RunContext& context_;
  std::byte* frame_;
  Operand* operands_;  // at the end of the frame, behind them those of a rest
  int64_t begin_ = 0;
  int64_t in_block_ = 0;  // elements of the last evaluation, a block at most
};

}  // namespace addax::cpu
