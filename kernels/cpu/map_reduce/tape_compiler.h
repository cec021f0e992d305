#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cpu/map_reduce/tape.h"

namespace addax::cpu {

// What the operands of a tape begin with, for steps that have none.
inline constexpr int32_t kNoOperand = 0;

// Turns an expression's instructions, in their order, into the steps of a tape. A value goes to
// memory only when the accumulator is needed for another one before its last use.
class TapeCompiler {
 public:
  TapeCompiler(Tape& tape, const ScalarExpr& expr, std::span<const TapeInput> inputs,
               std::span<const TapeOutput> outputs);
  void compile();

 private:
  struct Value {
    int32_t operand = kNoOperand;  // where the class's values lie in memory
    int32_t tensor = kNoOperand;   // where they lie as a tensor of another dtype
    StepFns load;                  // from there
    bool uniform = false;
    int32_t run = kNoOperand;     // to be given back after the last use
    int32_t uses = 0;             // by instructions to come
    std::vector<size_t> outputs;  // that are still to be written
  };
  // The step that writes an output to its tensor.
  struct Write {
    size_t output;
    size_t step;
  };

  Value& value(int32_t i) { return values_[static_cast<size_t>(i)]; }
  int64_t run_mask() const { return block_size(tape_.class_) - 1; }
  int32_t new_operand(int64_t mask, int64_t bytes);
  int32_t new_uniform() { return new_operand(0, kMaxTileBytes); }
  int32_t new_run();
  int32_t new_outside(int64_t mask);

  void add(int32_t i);
  void add_input(int32_t i, const TapeInput& input);
  void add_uniform(int32_t i, ScalarOp op, std::span<const int32_t> operands);
  void add_varying(int32_t i, ScalarOp op, std::span<const int32_t> operands);
  void load(int32_t i);
  void store(int32_t i);
  void write_outputs(int32_t i);
  void place(const Write& write);
  void set_extents();
  bool may_write_at(const Tensor& output, size_t step) const;

  Tape& tape_;
  const ClassOps& ops_;
  const ScalarExpr& expr_;
  std::span<const TapeInput> inputs_;
  std::span<const TapeOutput> outputs_;
  std::vector<Value> values_;
  int32_t accumulator_ = -1;  // the value that it holds
  std::vector<int32_t> free_runs_;
  std::vector<Write> writes_;
  bool by_blocks_ = false;  // an evaluation has at most one
};

}  // namespace addax::cpu
