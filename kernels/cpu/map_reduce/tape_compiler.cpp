#include "cpu/map_reduce/tape_compiler.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>

#include "core/error.h"

namespace addax::cpu {
namespace {

// Runs of values lie one vector more than their size apart: room for the last whole vector, and
// neighbours do not share cache sets.
constexpr int64_t kRunStride = kBlockBytes + kMaxVectorBytes;
// One vector's values in any dtype.
constexpr int64_t kStagedBytes = 2 * kMaxVectorBytes;

// Cost of one instruction on one value, in the units of Stage::cost: measured, in steps of a
// factor.
double cost_of(ScalarOp op, ComputeClass c) {
  constexpr double kSimple = 2, kPolynomial = 60, kLibrary = 2000;
  switch (op) {
    case ScalarOp::Exp:
    case ScalarOp::Expm1:
    case ScalarOp::Log:
    case ScalarOp::Log1p:
    case ScalarOp::Tanh:
    case ScalarOp::Erf:
      return c == ComputeClass::F32 ? kPolynomial : kLibrary;
    case ScalarOp::FloorDivide:
    case ScalarOp::Mod:
    case ScalarOp::Power:
    case ScalarOp::Arctan2:
    case ScalarOp::Sin:
    case ScalarOp::Cos:
    case ScalarOp::Tan:
    case ScalarOp::Arctan:
      return kLibrary;
    default:
      return c == ComputeClass::F32 ? kSimple : 2 * kSimple;
  }
}

Step make_step(StepFns apply, int32_t a = kNoOperand, int32_t b = kNoOperand) {
  const auto offset = [](int32_t operand) {
    return static_cast<uint32_t>(static_cast<size_t>(operand) * sizeof(Operand));
  };
  return {apply, offset(a), offset(b)};
}

std::vector<int32_t> operands_of(const ScalarInstruction& instruction) {
  std::vector<int32_t> operands = {instruction.a, instruction.b, instruction.c};
  operands.resize(static_cast<size_t>(arity(instruction.op)));
  return operands;
}

int64_t item_of(const Tensor& tensor) { return static_cast<int64_t>(addax::size_of(tensor.dtype)); }

}  // namespace

TapeCompiler::TapeCompiler(Tape& tape, const ScalarExpr& expr, std::span<const TapeInput> inputs,
                           std::span<const TapeOutput> outputs)
    : tape_(tape),
      ops_(tape.ops_),
      expr_(expr),
      inputs_(inputs),
      outputs_(outputs),
      values_(expr.code.size()) {}

void TapeCompiler::compile() {
  new_operand(0, 0);  // kNoOperand
  for (const ScalarInstruction& instruction : expr_.code) {
    for (int32_t operand : operands_of(instruction)) ++value(operand).uses;
  }
  for (size_t i = 0; i < outputs_.size(); ++i) value(expr_.outputs[i]).outputs.push_back(i);
  tape_.outputs_.assign(outputs_.size(), kNoOperand);
  for (size_t i = 0; i < expr_.code.size(); ++i) add(static_cast<int32_t>(i));
  for (int32_t output : expr_.outputs) {
    if (!value(output).outputs.empty()) load(output);
  }
  for (const Write& write : writes_) place(write);
  set_extents();
  tape_.prologue_.push_back(make_step(ops_.end));
  tape_.body_.push_back(make_step(ops_.end));
}

int32_t TapeCompiler::new_operand(int64_t mask, int64_t bytes) {
  tape_.places_.push_back({tape_.frame_bytes_, mask});
  tape_.frame_bytes_ += bytes;
  return static_cast<int32_t>(tape_.places_.size()) - 1;
}

int32_t TapeCompiler::new_run() {
  if (free_runs_.empty()) return new_operand(run_mask(), kRunStride);
  const int32_t run = free_runs_.back();
  free_runs_.pop_back();
  return run;
}

// An operand outside the frame, which has room for one vector.
int32_t TapeCompiler::new_outside(int64_t mask) { return new_operand(mask, kStagedBytes); }

void TapeCompiler::add(int32_t i) {
  const ScalarInstruction& instruction = expr_.code[static_cast<size_t>(i)];
  const ScalarOp op = instruction.op;
  if (op == ScalarOp::Input) return add_input(i, inputs_[static_cast<size_t>(instruction.value)]);
  if (op == ScalarOp::Constant) {
    value(i).uniform = true;
    value(i).operand = new_uniform();
    tape_.constants_.push_back({value(i).operand, instruction.value});
    return;
  }
  if (!ops_.has(op)) {
    throw UnsupportedError("[fused] " + std::string(op_name(op)) + " is not defined for " +
                           std::string(name(dtype_of(tape_.class_))) +
                           "; cast to a floating dtype first");
  }
  const std::vector<int32_t> operands = operands_of(instruction);
  const bool uniform = std::all_of(operands.begin(), operands.end(),
                                   [&](int32_t operand) { return value(operand).uniform; });
  uniform ? add_uniform(i, op, operands) : add_varying(i, op, operands);
}

void TapeCompiler::add_input(int32_t i, const TapeInput& input) {
  const auto dtype = static_cast<size_t>(input.tensor.dtype);
  const int32_t id = input.tensor.id;
  const int64_t item = item_of(input.tensor);
  StridedView view = collapse(input.view);
  Value& v = value(i);
  if (view.is_uniform()) {
    v.uniform = true;
    v.operand = new_uniform();
    tape_.uniforms_.push_back({v.operand, id, ops_.load[dtype]});
  } else if (!view.is_contiguous()) {
    v.operand = new_run();
    const int64_t period = std::accumulate(view.dims.begin() + (view.strides[0] == 0 ? 1 : 0),
                                           view.dims.end(), int64_t{1}, std::multiplies<>());
    const bool in_rows = input.tensor.dtype == ops_.dtype && view.strides.back() == 1;
    tape_.strided_.push_back(
        {v.operand, id, item, ops_.load[dtype], std::move(view), period, in_rows});
  } else {
    const bool own = input.tensor.dtype == ops_.dtype;
    int32_t& operand = own ? v.operand : v.tensor;
    operand = new_outside(-1);
    v.load = ops_.load_tensor[dtype];
    tape_.outside_.push_back({operand, id, item, false});
    tape_.body_.push_back(make_step(ops_.prefetch[dtype], operand));
  }
}

void TapeCompiler::add_uniform(int32_t i, ScalarOp op, std::span<const int32_t> operands) {
  Value& v = value(i);
  v.uniform = true;
  v.operand = new_uniform();
  const auto at = [&](size_t k) {
    return k < operands.size() ? value(operands[k]).operand : kNoOperand;
  };
  tape_.prologue_.push_back(make_step(ops_.load_values, at(0)));
  tape_.prologue_.push_back(make_step(ops_.op(op)[0], at(1), at(2)));
  tape_.prologue_.push_back(make_step(ops_.store_values, v.operand));
}

void TapeCompiler::add_varying(int32_t i, ScalarOp op, std::span<const int32_t> operands) {
  for (int32_t operand : operands) {
    if (value(operand).operand == kNoOperand) load(operand);
  }
  auto held = std::find(operands.begin(), operands.end(), accumulator_);
  if (held == operands.end()) {
    held = operands.begin();
    load(*held);
  }
  for (int32_t operand : operands) --value(operand).uses;
  const bool square = op == ScalarOp::Multiply && operands[0] == operands[1];
  const bool repeated = std::count(operands.begin(), operands.end(), *held) > 1 && !square;
  if (repeated || value(*held).uses > 0) store(*held);

  if (square) {
    tape_.body_.push_back(make_step(ops_.square));
  } else {
    std::vector<int32_t> others;
    for (auto operand = operands.begin(); operand != operands.end(); ++operand) {
      if (operand != held) others.push_back(value(*operand).operand);
    }
    others.resize(2, kNoOperand);
    const auto at = static_cast<size_t>(held - operands.begin());
    tape_.body_.push_back(make_step(ops_.op(op)[at], others[0], others[1]));
  }
  tape_.cost_ += cost_of(op, tape_.class_);
  for (int32_t operand : operands) {
    Value& v = value(operand);
    if (v.uses > 0 || v.run == kNoOperand) continue;
    free_runs_.push_back(v.run);
    v.run = kNoOperand;
  }
  accumulator_ = i;
  write_outputs(i);
}

// Makes the accumulator hold value i.
void TapeCompiler::load(int32_t i) {
  if (accumulator_ == i) return;
  if (accumulator_ >= 0 && value(accumulator_).uses > 0) store(accumulator_);
  const Value& v = value(i);
  tape_.body_.push_back(v.operand != kNoOperand ? make_step(ops_.load_values, v.operand)
                                                : make_step(v.load, v.tensor));
  accumulator_ = i;
  write_outputs(i);
}

// Makes memory hold value i, which the accumulator does.
void TapeCompiler::store(int32_t i) {
  Value& v = value(i);
  if (v.operand != kNoOperand) return;
  v.operand = v.run = new_run();
  tape_.body_.push_back(make_step(ops_.store_values, v.operand));
}

// Writes the outputs that value i is, which the accumulator holds.
void TapeCompiler::write_outputs(int32_t i) {
  for (size_t output : value(i).outputs) {
    int32_t& operand = tape_.outputs_[output];
    switch (outputs_[output].kind) {
      case TapeOutput::Kind::Tensor:
        writes_.push_back({output, tape_.body_.size()});
        tape_.body_.emplace_back();
        break;
      case TapeOutput::Kind::Values:
        operand = new_operand(run_mask(), kRunStride);
        by_blocks_ = true;
        tape_.body_.push_back(make_step(ops_.store_values, operand));
        break;
      case TapeOutput::Kind::Accumulated:
        operand = new_outside(run_mask());
        tape_.outside_.push_back({operand, -1, size_of(tape_.class_), true});
        tape_.body_.push_back(
            make_step(ops_.accumulate[static_cast<size_t>(outputs_[output].reduction)], operand));
        break;
    }
  }
  value(i).outputs.clear();
}

// Whether a step may write to the output's own memory: no input lies there that is read later than
// by the same tile's steps before it.
bool TapeCompiler::may_write_at(const Tensor& output, size_t step) const {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Tensor& input = inputs_[i].tensor;
    if (!may_overlap(output, input)) continue;
    const Value& v = values_[i];
    const uint32_t operand = make_step({}, v.tensor != kNoOperand ? v.tensor : v.operand).a;
    const bool dense = collapse(inputs_[i].view).is_contiguous();
    const auto reads = [&](const Step& s) { return s.a == operand || s.b == operand; };
    if (!dense || input.raw->offset != output.raw->offset || item_of(input) != item_of(output) ||
        std::any_of(tape_.body_.begin() + static_cast<std::ptrdiff_t>(step), tape_.body_.end(),
                    reads)) {
      return false;
    }
  }
  return true;
}

void TapeCompiler::place(const Write& write) {
  const Tensor& tensor = outputs_[write.output].tensor;
  const auto dtype = static_cast<size_t>(tensor.dtype);
  Step& step = tape_.body_[write.step];
  if (may_write_at(tensor, write.step)) {
    const int32_t operand = new_outside(-1);
    step = make_step(ops_.store_tensor[dtype], operand);
    tape_.outside_.push_back({operand, tensor.id, item_of(tensor), true});
  } else {
    const int32_t operand = new_operand(run_mask(), kRunStride);
    by_blocks_ = true;
    step = make_step(ops_.store_values, operand);
    tape_.deferred_.push_back({operand, tensor.id, item_of(tensor), ops_.store[dtype]});
  }
}

// Runs of values repeat themselves from block to block where the periods of the strided inputs
// divide a block; elsewhere an evaluation should have whole periods, of whole vectors if possible.
void TapeCompiler::set_extents() {
  const int64_t block = block_size(tape_.class_);
  int64_t period = 1;
  for (const Tape::Strided& input : tape_.strided_) {
    if (input.period > 0) period = std::min(std::lcm(period, input.period), block + 1);
  }
  const int64_t in_vectors = std::lcm(period, kMaxVectorBytes / size_of(tape_.class_));
  const int64_t step = in_vectors <= block ? in_vectors : period;
  tape_.unit_ = step <= block ? block / step * step : block;
  const bool repeats = tape_.unit_ == block && block % period == 0;
  tape_.most_ = repeats && !by_blocks_ ? kMaxBlocks * block : tape_.unit_;
}

}  // namespace addax::cpu
