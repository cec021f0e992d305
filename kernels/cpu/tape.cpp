#include "cpu/tape.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <string>

#include "core/error.h"
#include "cpu/scratch.h"

namespace addax::cpu {
namespace {

// Blocks lie one vector more than their size apart: room for the
// last whole vector, and neighbours do not share cache sets. The slots' operands end the frame.
constexpr int64_t kBlockStride = kBlockBytes + kMaxVectorBytes;

constexpr int64_t kUniformSlot = kMaxVectorBytes;

// Cost of one instruction on one value, in the units of Stage::cost: measured, in steps of a
// factor.
double cost_of(ScalarOp op, ComputeClass c) {
  constexpr double kSimple = 6, kPolynomial = 60, kLibrary = 2000;
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

}  // namespace

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

Tape::Tape(const ScalarExpr& expr, ComputeClass c, Isa isa, std::vector<TapeInput> inputs,
           std::span<const Tensor* const> outputs)
    : class_(c), ops_(tape_ops(isa).of(c)), described_(std::move(inputs)) {
  add_inputs();
  lower(expr);
  add_outputs(expr, outputs);
  frame_bytes_ += static_cast<int64_t>(slot_offsets_.size() * sizeof(Operand));
}

int32_t Tape::new_slot(bool uniform) {
  slot_offsets_.push_back(frame_bytes_);
  slot_uniform_.push_back(uniform);
  frame_bytes_ += uniform ? kUniformSlot : kBlockStride;
  return static_cast<int32_t>(slot_offsets_.size()) - 1;
}

void Tape::add_inputs() {
  for (TapeInput& described : described_) {
    described.view = collapse(described.view);
    Input input;
    input.tensor = described.tensor.id;
    input.dtype = described.tensor.dtype;
    input.item = static_cast<int64_t>(addax::size_of(input.dtype));
    input.load = ops_.load[static_cast<size_t>(input.dtype)];
    input.view = described.view;
    const auto& dims = described.view.dims;
    input.period = std::accumulate(dims.begin() + (described.view.strides[0] == 0 ? 1 : 0),
                                   dims.end(), int64_t{1}, std::multiplies<>());
    if (input.view.is_uniform()) {
      input.kind = InputKind::Uniform;
    } else if (!input.view.is_contiguous()) {
      input.kind = InputKind::Strided;
    } else {
      input.kind = input.dtype == dtype_of(class_) ? InputKind::Dense : InputKind::Converted;
    }
    inputs_.push_back(std::move(input));
    new_slot(inputs_.back().kind == InputKind::Uniform);
  }
}

void Tape::lower(const ScalarExpr& expr) {
  const size_t count = expr.code.size();
  value_slot_.assign(count, -1);
  producer_.assign(count, -1);
  last_use_.assign(described_.size(), -1);

  std::vector<int32_t> uses(count, 0);
  for (const ScalarInstruction& instruction : expr.code) {
    for (int32_t operand : {instruction.a, instruction.b, instruction.c}) {
      if (operand >= 0) ++uses[static_cast<size_t>(operand)];
    }
  }
  std::vector<bool> is_output(count, false);
  for (int32_t output : expr.outputs) is_output[static_cast<size_t>(output)] = true;

  std::vector<int32_t> free_slots;
  for (size_t i = 0; i < count; ++i) {
    const ScalarInstruction& instruction = expr.code[i];
    if (instruction.op == ScalarOp::Input) {
      value_slot_[i] = static_cast<int32_t>(instruction.value);
      continue;
    }
    if (instruction.op == ScalarOp::Constant) {
      value_slot_[i] = new_slot(true);
      constants_.push_back({value_slot_[i], instruction.value});
      continue;
    }
    const InstructionFn apply = ops_.op(instruction.op);
    if (apply == nullptr) {
      throw UnsupportedError("[fused] " + std::string(op_name(instruction.op)) +
                             " is not defined for " + std::string(name(dtype_of(class_))) +
                             "; cast to a floating dtype first");
    }
    Instruction step{apply, -1, 0, 0, 0};
    bool uniform = true;
    const std::array<int32_t, 3> operands = {instruction.a, instruction.b, instruction.c};
    const std::array<int32_t*, 3> slots = {&step.a, &step.b, &step.c};
    for (size_t k = 0; k < operands.size(); ++k) {
      if (operands[k] < 0) continue;
      *slots[k] = value_slot_[static_cast<size_t>(operands[k])];
      uniform = uniform && slot_uniform_[static_cast<size_t>(*slots[k])];
    }
    if (!uniform) {
      const auto body_index = static_cast<int32_t>(body_.size());
      for (int32_t operand : operands) {
        if (operand < 0) continue;
        const auto value = static_cast<size_t>(operand);
        const int32_t slot = value_slot_[value];
        if (slot < static_cast<int32_t>(inputs_.size())) {
          last_use_[static_cast<size_t>(slot)] = body_index;
        }
        if (--uses[value] == 0 && producer_[value] >= 0 && !is_output[value]) {
          free_slots.push_back(slot);
        }
      }
      producer_[i] = body_index;
    }
    if (uniform || is_output[i] || free_slots.empty()) {
      step.to = new_slot(uniform);
    } else {
      step.to = free_slots.back();
      free_slots.pop_back();
    }
    value_slot_[i] = step.to;
    if (!uniform) cost_ += cost_of(instruction.op, class_);
    (uniform ? prologue_ : body_).push_back(step);
  }
}

// An instruction may write to the output's own memory when no later instruction reads an input that
// lies there, and the one that does lies exactly there.
bool Tape::may_write_in_place(const Tensor& output, int32_t producer) const {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Tensor& input = described_[i].tensor;
    if (!may_overlap(output, input)) continue;
    if (inputs_[i].kind != InputKind::Dense || last_use_[i] > producer ||
        input.raw->offset != output.raw->offset) {
      return false;
    }
  }
  return true;
}

void Tape::add_outputs(const ScalarExpr& expr, std::span<const Tensor* const> outputs) {
  std::vector<int32_t> taken;
  for (size_t i = 0; i < expr.outputs.size(); ++i) {
    const auto value = static_cast<size_t>(expr.outputs[i]);
    Output output{value_slot_[value], -1, -1, 0, false, nullptr};
    if (slot_uniform_[static_cast<size_t>(output.slot)]) {
      output.uniform = output.slot;
      output.slot = new_slot(false);
    }
    if (const Tensor* tensor = outputs[i]) {
      output.tensor = tensor->id;
      output.item = static_cast<int64_t>(addax::size_of(tensor->dtype));
      output.store = ops_.store[static_cast<size_t>(tensor->dtype)];
      const int32_t producer = producer_[value];
      const bool first = std::find(taken.begin(), taken.end(), output.slot) == taken.end();
      output.in_place = first && producer >= 0 && tensor->dtype == dtype_of(class_) &&
                        may_write_in_place(*tensor, producer);
      if (output.in_place) taken.push_back(output.slot);
    }
    outputs_.push_back(output);
  }
}

TapeRun::TapeRun(const Tape& tape, const RunContext& context)
    : tape_(tape),
      context_(context),
      frame_(thread_scratch<std::byte>(Scratch::Tape, static_cast<size_t>(tape.frame_bytes_))) {
  const size_t num_slots = tape.slot_offsets_.size();
  slots_ = reinterpret_cast<Operand*>(frame_ + tape.frame_bytes_) - num_slots;
  for (size_t i = 0; i < num_slots; ++i) {
    slots_[i] = {frame_ + tape.slot_offsets_[i], tape.slot_uniform_[i] ? 0 : -1};
  }
  for (size_t i = 0; i < tape.inputs_.size(); ++i) {
    if (tape.inputs_[i].kind == Tape::InputKind::Uniform) {
      load_uniform(tape.inputs_[i], frame_ + tape.slot_offsets_[i]);
    }
  }
  const int64_t vector_values = kMaxVectorBytes / size_of(tape.class_);
  for (const Tape::Constant& constant : tape.constants_) {
    std::byte* to = frame_ + tape.slot_offsets_[static_cast<size_t>(constant.slot)];
    if (tape.class_ == ComputeClass::F32) {
      std::fill_n(reinterpret_cast<float*>(to), vector_values, static_cast<float>(constant.value));
    } else if (tape.class_ == ComputeClass::F64) {
      std::fill_n(reinterpret_cast<double*>(to), vector_values, constant.value);
    } else {
      std::fill_n(reinterpret_cast<int64_t*>(to), vector_values,
                  static_cast<int64_t>(constant.value));
    }
  }
  for (const Tape::Instruction& step : tape.prologue_) {
    step.apply(const_cast<void*>(slot(step.to).data), slot(step.a), slot(step.b), slot(step.c),
               vector_values);
  }
  for (const Tape::Output& output : tape.outputs_) {
    if (output.uniform < 0) continue;
    fill(frame_ + tape.slot_offsets_[static_cast<size_t>(output.slot)],
         static_cast<const std::byte*>(slot(output.uniform).data), block_size(tape.class_));
  }
}

void TapeRun::fill(std::byte* to, const std::byte* value, int64_t count) const {
  if (size_of(tape_.class_) == 4) {
    uint32_t bits;
    std::memcpy(&bits, value, sizeof(bits));
    std::fill_n(reinterpret_cast<uint32_t*>(to), count, bits);
  } else {
    uint64_t bits;
    std::memcpy(&bits, value, sizeof(bits));
    std::fill_n(reinterpret_cast<uint64_t*>(to), count, bits);
  }
}

void TapeRun::load_uniform(const Tape::Input& input, std::byte* to) const {
  alignas(8) std::byte value[8];
  input.load(context_.data<const std::byte>(input.tensor), value, 1);
  fill(to, value, kMaxVectorBytes / size_of(tape_.class_));
}

void TapeRun::load_strided(const Tape::Input& input, int64_t begin, int64_t n,
                           std::byte* to) const {
  const auto* from = context_.data<const std::byte>(input.tensor);
  const int64_t item = input.item;
  const int64_t stride = input.view.strides.back() * item;
  const int64_t value_bytes = size_of(tape_.class_);
  StridedCursor cursor(input.view, begin);
  alignas(8) std::byte gathered[512];
  while (n > 0) {
    int64_t count = std::min(n, cursor.run());
    const std::byte* source = from + cursor.offset() * item;
    if (stride == item) {
      input.load(source, to, count);
    } else if (stride == 0) {
      alignas(8) std::byte value[8];
      input.load(source, value, 1);
      fill(to, value, count);
    } else {
      count = std::min(count, static_cast<int64_t>(sizeof(gathered)) / item);
      switch (item) {
        case 1:
          gather<uint8_t>(source, stride, count, gathered);
          break;
        case 2:
          gather<uint16_t>(source, stride, count, gathered);
          break;
        case 4:
          gather<uint32_t>(source, stride, count, gathered);
          break;
        default:
          gather<uint64_t>(source, stride, count, gathered);
          break;
      }
      input.load(gathered, to, count);
    }
    to += count * value_bytes;
    n -= count;
    cursor.advance(count);
  }
}

// Whether the slot of a strided input holds these values since the last evaluation.
bool TapeRun::is_loaded(const Tape::Input& input, int64_t begin, int64_t n) const {
  return n <= n_ && (begin - begin_) % input.period == 0;
}

void TapeRun::evaluate(int64_t begin, int64_t n) {
  if (n == 0) {
    n_ = 0;
    return;
  }
  const int64_t value_bytes = size_of(tape_.class_);
  whole_ = n * value_bytes % kMaxVectorBytes == 0;
  for (size_t i = 0; i < tape_.inputs_.size(); ++i) {
    const Tape::Input& input = tape_.inputs_[i];
    if (input.kind == Tape::InputKind::Uniform) continue;
    std::byte* staging = frame_ + tape_.slot_offsets_[i];
    if (input.kind == Tape::InputKind::Strided) {
      if (!is_loaded(input, begin, n)) load_strided(input, begin, n, staging);
    } else {
      const auto* from = context_.data<const std::byte>(input.tensor) + begin * input.item;
      if (whole_ && input.kind == Tape::InputKind::Dense) {
        slots_[i].data = from;
        continue;
      }
      input.load(from, staging, n);
    }
    slots_[i].data = staging;
  }
  begin_ = begin;
  n_ = n;
  for (const Tape::Output& output : tape_.outputs_) {
    if (!output.in_place) continue;
    const auto i = static_cast<size_t>(output.slot);
    slots_[i].data = whole_ ? context_.data<std::byte>(output.tensor) + begin * output.item
                            : frame_ + tape_.slot_offsets_[i];
  }
  for (const Tape::Instruction& step : tape_.body_) {
    step.apply(const_cast<void*>(slot(step.to).data), slot(step.a), slot(step.b), slot(step.c), n);
  }
}

void TapeRun::store(size_t i) const {
  const Tape::Output& output = tape_.outputs_[i];
  if (whole_ && output.in_place) return;
  output.store(values(i), context_.data<std::byte>(output.tensor) + begin_ * output.item, n_);
}

const std::byte* TapeRun::values(size_t i) const {
  return static_cast<const std::byte*>(slot(tape_.outputs_[i].slot).data);
}

}  // namespace addax::cpu
