#include <algorithm>
#include <cmath>
#include <memory>

#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/tape.h"
#include "cpu/random/normal_quantile.h"
#include "cpu/random/random_kernels.h"

namespace addax::cpu {

const RandomKernels& random_kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return avx512::kRandomKernels;
  if (isa == Isa::Avx2) return avx2::kRandomKernels;
#endif
  static_cast<void>(isa);
  return portable::kRandomKernels;
}

namespace {

constexpr int64_t kWords = 4;     // of a Philox block
constexpr int64_t kAtOnce = 256;  // numbers; whole blocks

// Draws of a state {seed, counter}. Element 4 j + k is word k of block counter + j. The new state,
// which may lie where the old one does, is written when all is drawn.
class Generator : public Kernel {
 public:
  explicit Generator(const Node& node, double cost)
      : state_(node.input(0)), y_(node.output(0)), new_state_(node.output(1)) {
    blocks_ = (y_.size() + kWords - 1) / kWords;
    add_stage(chunks_for(y_.size(), 4096), cost * static_cast<double>(y_.size()));
    add_stage(1, 1);
  }

  void run(const RunContext& context, size_t stage, int64_t chunk) const override {
    const auto* state = context.data<const int64_t>(state_);
    if (stage == 1) {
      const uint64_t counter = static_cast<uint64_t>(state[1]) + static_cast<uint64_t>(blocks_);
      auto* next = context.data<int64_t>(new_state_);
      next[0] = state[0];
      next[1] = static_cast<int64_t>(counter);
      return;
    }
    const Range blocks = even_share(blocks_, stages_[0].chunks, chunk);
    uint32_t words[kAtOnce];
    for (int64_t block = blocks.begin; block < blocks.end; block += kAtOnce / kWords) {
      const int64_t n = std::min(kAtOnce / kWords, blocks.end - block);
      kernels_.philox(static_cast<uint64_t>(state[0]),
                      static_cast<uint64_t>(state[1]) + static_cast<uint64_t>(block), n, words);
      const int64_t first = kWords * block;
      const int64_t count = std::min(kWords * n, y_.size() - first);
      const auto item = static_cast<int64_t>(addax::size_of(y_.dtype));
      write(words, count, context.data<std::byte>(y_) + first * item);
    }
  }

 protected:
  // Turns random words into numbers of the output's dtype.
  virtual void write(const uint32_t* words, int64_t n, std::byte* to) const = 0;

  ConvertFn store_from(ComputeClass c) const {
    return tape_ops(active_isa()).of(c).store[static_cast<size_t>(y_.dtype)];
  }

  Tensor state_, y_, new_state_;
  const RandomKernels& kernels_ = random_kernels(active_isa());
  int64_t blocks_ = 0;
};

class RandomUniform : public Generator {
 public:
  explicit RandomUniform(const Node& node)
      : Generator(node, 250),
        low_(node.number("minval", 0)),
        high_(node.number("maxval", 1)),
        wide_(y_.dtype == DType::Float64),
        store_(store_from(wide_ ? ComputeClass::F64 : ComputeClass::F32)) {}

 private:
  void write(const uint32_t* words, int64_t n, std::byte* to) const override {
    if (wide_) {
      draw<double>(words, n, to);
    } else {
      draw<float>(words, n, to);
    }
  }

  template <class T>
  void draw(const uint32_t* words, int64_t n, std::byte* to) const {
    const T low = static_cast<T>(low_), span = static_cast<T>(high_) - low;
    T values[kAtOnce];
    for (int64_t i = 0; i < n; ++i) {
      const T u = static_cast<T>(static_cast<int32_t>(words[i] >> 8)) * static_cast<T>(0x1p-24);
      values[i] = low + u * span;
    }
    store_(values, to, n);
  }

  double low_, high_;
  bool wide_;
  ConvertFn store_;
};

class RandomNormal : public Generator {
 public:
  explicit RandomNormal(const Node& node)
      : Generator(node, 6000),
        mean_(node.number("mean", 0)),
        stddev_(node.number("stddev", 1)),
        truncated_(node.flag("truncated", false)),
        store_(store_from(ComputeClass::F64)) {}

 private:
  void write(const uint32_t* words, int64_t n, std::byte* to) const override {
    static const double beyond = 0.5 * std::erfc(std::sqrt(2.0));  // Phi(-2)
    double values[kAtOnce];
    for (int64_t i = 0; i < n; ++i) {
      double p = static_cast<double>(words[i] >> 8) * 0x1p-24 + 0x1p-25;
      if (truncated_) p = beyond + p * (1 - 2 * beyond);
      values[i] = mean_ + stddev_ * normal_quantile(p);
    }
    store_(values, to, n);
  }

  double mean_, stddev_;
  bool truncated_;
  ConvertFn store_;
};

// Sample numbers of one batch: positions cursor * batch + i of the order, which the bijection
// restricted to [0, n) gives by walking its cycles.
class BatchIndices : public Kernel {
 public:
  explicit BatchIndices(const Node& node)
      : cursor_(node.input(0)),
        key_(node.input(1)),
        y_(node.output()),
        n_(node.integer("n")),
        batch_(node.integer("batch")),
        shuffle_(node.flag("shuffle")) {
    while (half_bits_ < 31 && (int64_t{1} << (2 * half_bits_)) < n_) ++half_bits_;
    add_stage(chunks_for(batch_, 256), (shuffle_ ? 6000 : 10) * static_cast<double>(batch_));
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    const int64_t cursor = *context.data<const int64_t>(cursor_);
    const auto* key = context.data<const int64_t>(key_);
    int64_t* y = context.data<int64_t>(y_);
    const Range range = even_share(batch_, stages_[0].chunks, chunk);
    for (int64_t i = range.begin; i < range.end; ++i) {
      y[i] = cursor * batch_ + i;
      if (y[i] >= 0 && y[i] < n_) continue;
      context.failure->report(i, static_cast<double>(y[i]));
      y[i] = 0;
    }
    if (!shuffle_) return;
    const Shuffle shuffle = {half_bits_, static_cast<uint64_t>(n_), static_cast<uint64_t>(key[0]),
                             static_cast<uint64_t>(key[1])};
    kernels_.shuffle(shuffle, range.size(), reinterpret_cast<uint64_t*>(y + range.begin));
  }

 private:
  Tensor cursor_, key_, y_;
  int64_t n_, batch_;
  bool shuffle_;
  int half_bits_ = 0;
  const RandomKernels& kernels_ = random_kernels(active_isa());
};

}  // namespace

bool accepts_random(const Node& node) { return is_floating(node.output().dtype); }
KernelPtr make_random_uniform(const Node& node) { return std::make_unique<RandomUniform>(node); }
KernelPtr make_random_normal(const Node& node) { return std::make_unique<RandomNormal>(node); }

bool accepts_batch_indices(const Node& node) { return node.output().dtype == DType::Int64; }
KernelPtr make_batch_indices(const Node& node) { return std::make_unique<BatchIndices>(node); }

}  // namespace addax::cpu
