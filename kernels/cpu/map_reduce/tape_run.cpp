#include <algorithm>
#include <cstring>

#include "cpu/map_reduce/tape.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

template <class T>
void gather(const std::byte* from, int64_t stride, int64_t count, std::byte* to) {
  T* out = reinterpret_cast<T*>(to);
  for (int64_t i = 0; i < count; ++i) out[i] = *reinterpret_cast<const T*>(from + i * stride);
}

}  // namespace

TapeRun::TapeRun(const Tape& tape, const RunContext& context)
    : tape_(tape),
      context_(context),
      frame_(thread_scratch<std::byte>(Scratch::Tape, static_cast<size_t>(tape.frame_bytes_))) {
  const size_t count = tape.places_.size();
  operands_ = reinterpret_cast<Operand*>(frame_ + tape.frame_bytes_) - 2 * count;
  for (size_t i = 0; i < count; ++i) {
    operands_[i] = {frame_ + tape.places_[i].offset, tape.places_[i].mask};
  }
  const int64_t tile = kMaxTileBytes / size_of(tape.class_);
  for (const Tape::Uniform& input : tape.uniforms_) {
    alignas(8) std::byte value[8];
    input.load(context.data<const std::byte>(input.tensor), value, 1);
    fill(frame_at(input.operand), value, tile);
  }
  for (const Tape::Constant& constant : tape.constants_) {
    std::byte* to = frame_at(constant.operand);
    if (tape.class_ == ComputeClass::F32) {
      std::fill_n(reinterpret_cast<float*>(to), tile, static_cast<float>(constant.value));
    } else if (tape.class_ == ComputeClass::F64) {
      std::fill_n(reinterpret_cast<double*>(to), tile, constant.value);
    } else {
      std::fill_n(reinterpret_cast<int64_t*>(to), tile, static_cast<int64_t>(constant.value));
    }
  }
  tape.ops_.run(tape.prologue_.data(), operands_, 0, tile);
}

std::byte* TapeRun::frame_at(int32_t operand) const {
  return frame_ + tape_.places_[static_cast<size_t>(operand)].offset;
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

// Values that lie in a row are left where they are.
void TapeRun::load_strided(const Tape::Strided& input, int64_t begin, int64_t n) const {
  StridedCursor cursor(input.view, begin);
  std::byte*& data = reinterpret_cast<std::byte*&>(operands_[input.operand].data);
  if (input.in_rows && cursor.run() >= n && n % vector_size() == 0) {
    data = context_.data<std::byte>(input.tensor) + cursor.offset() * input.item;
  } else {
    data = frame_at(input.operand);
    copy_strided(input, cursor, n);
  }
}

void TapeRun::copy_strided(const Tape::Strided& input, StridedCursor& cursor, int64_t n) const {
  std::byte* to = frame_at(input.operand);
  const auto* from = context_.data<const std::byte>(input.tensor);
  const int64_t item = input.item;
  const int64_t stride = input.view.strides.back() * item;
  const int64_t value_bytes = size_of(tape_.class_);
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

void TapeRun::accumulate_into(size_t i, std::byte* values) { output(i).data = values; }

const std::byte* TapeRun::values(size_t i) const {
  return static_cast<const std::byte*>(output(i).data);
}

Operand& TapeRun::output(size_t i) const { return operands_[tape_.outputs_[i]]; }

void TapeRun::evaluate(int64_t begin, int64_t n) {
  const int64_t in_block = std::min(n, block_size(tape_.class_));
  if (n > 0) {
    for (const Tape::Strided& input : tape_.strided_) {
      const bool loaded = in_block <= in_block_ && (begin - begin_) % input.period == 0;
      if (!loaded) load_strided(input, begin, in_block);
    }
    for (const Tape::Outside& outside : tape_.outside_) {
      if (outside.tensor < 0) continue;
      operands_[outside.operand].data =
          context_.data<std::byte>(outside.tensor) + begin * outside.item;
    }
    const int64_t whole = n - n % vector_size();
    tape_.ops_.run(tape_.body_.data(), operands_, 0, whole);
    if (whole < n) run_rest(whole, n - whole);
    for (const Tape::Deferred& output : tape_.deferred_) {
      output.store(operands_[output.operand].data,
                   context_.data<std::byte>(output.tensor) + begin * output.item, n);
    }
  }
  begin_ = begin;
  in_block_ = in_block;
}

// The n values from `begin` on, less than a vector: what lies outside the frame is brought there
// and back.
void TapeRun::run_rest(int64_t begin, int64_t n) const {
  const auto data = [&](const Tape::Outside& outside) {
    const Operand& operand = operands_[outside.operand];
    return static_cast<std::byte*>(operand.data) + (begin & operand.mask) * outside.item;
  };
  const auto bytes = [&](const Tape::Outside& outside) {
    return static_cast<size_t>(n * outside.item);
  };
  const size_t count = tape_.places_.size();
  Operand* operands = operands_ + count;
  for (size_t i = 0; i < count; ++i) {
    const Operand& operand = operands_[i];
    operands[i] = {
        static_cast<std::byte*>(operand.data) + (begin & operand.mask) * size_of(tape_.class_),
        operand.mask};
  }
  for (const Tape::Outside& outside : tape_.outside_) {
    operands[outside.operand].data =
        std::memcpy(frame_at(outside.operand), data(outside), bytes(outside));
  }
  tape_.ops_.run(tape_.body_.data(), operands, 0, n);
  for (const Tape::Outside& outside : tape_.outside_) {
    if (outside.written) std::memcpy(data(outside), frame_at(outside.operand), bytes(outside));
  }
}

}  // namespace addax::cpu
