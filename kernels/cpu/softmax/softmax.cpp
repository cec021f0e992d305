#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/tape.h"
#include "cpu/runtime/scratch.h"
#include "cpu/softmax/softmax_kernels.h"

namespace addax::cpu {

template <>
const SoftmaxKernels<float>& softmax_kernels<float>(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return avx512::kSoftmaxF32;
  if (isa == Isa::Avx2) return avx2::kSoftmaxF32;
#endif
  static_cast<void>(isa);
  return portable::kSoftmaxF32;
}

template <>
const SoftmaxKernels<double>& softmax_kernels<double>(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return avx512::kSoftmaxF64;
  if (isa == Isa::Avx2) return avx2::kSoftmaxF64;
#endif
  static_cast<void>(isa);
  return portable::kSoftmaxF64;
}

namespace {

// Along one axis of x [outer, cols, inner]. Rows are brought together in scratch memory in the
// compute type, worked on, and put back.
template <class T>
class Softmax : public Kernel {
 public:
  explicit Softmax(const Node& node)
      : x_(node.input(0)),
        y_(node.output()),
        logarithm_(node.op() == "log_softmax"),
        kernels_(softmax_kernels<T>(active_isa())) {
    const auto axis = static_cast<int>(node.integer("axis"));
    for (int i = 0; i < axis; ++i) outer_ *= x_.shape[i];
    for (int i = axis + 1; i < x_.shape.rank(); ++i) inner_ *= x_.shape[i];
    cols_ = x_.shape[axis];
    item_ = static_cast<int64_t>(addax::size_of(x_.dtype));
    constexpr auto kClass = sizeof(T) == 4 ? ComputeClass::F32 : ComputeClass::F64;
    const ClassOps& ops = tape_ops(active_isa()).of(kClass);
    load_ = ops.load[static_cast<size_t>(x_.dtype)];
    store_ = ops.store[static_cast<size_t>(y_.dtype)];
    at_once_ = std::max<int64_t>(1, block_size(kClass) / std::max<int64_t>(cols_, 1));
    scratch_.add(Scratch::Rows, 2 * at_once_ * (cols_ + 1) * int64_t{sizeof(T)});
    const int64_t groups = (outer_ * inner_ + at_once_ - 1) / at_once_;
    add_stage(std::min(chunks_for(x_.size(), 4096), groups), 100 * static_cast<double>(x_.size()));
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    if (cols_ == 0) return;
    const int64_t total = outer_ * inner_;
    const Range rows = even_share(total, stages_[0].chunks, chunk);
    const int64_t room = at_once_ * cols_;
    T* values = thread_scratch<T>(Scratch::Rows, static_cast<size_t>(2 * (room + at_once_)));
    T* exponentials = values + room;
    T* maxima = exponentials + room;
    T* sums = maxima + at_once_;
    for (int64_t row = rows.begin; row < rows.end; row += at_once_) {
      const int64_t n = std::min(at_once_, rows.end - row);
      gather(context, row, n, values);
      kernels_.exponentials(values, n, cols_, exponentials, maxima, sums);
      if (logarithm_) {
        for (int64_t i = 0; i < n; ++i) sums[i] = std::log(sums[i]);
        kernels_.shift(values, n, cols_, maxima);
        kernels_.shift(values, n, cols_, sums);
        scatter(context, row, n, values);
      } else {
        for (int64_t i = 0; i < n; ++i) sums[i] = 1 / sums[i];
        kernels_.scale(exponentials, n, cols_, sums);
        scatter(context, row, n, exponentials);
      }
    }
  }

 private:
  void gather(const RunContext& context, int64_t row, int64_t n, T* values) const {
    const auto* x = context.data<const std::byte>(x_);
    if (inner_ == 1) return load_(x + row * cols_ * item_, values, n * cols_);
    for (int64_t i = 0; i < n; ++i) {
      const std::byte* line = x + first_of(row + i) * item_;
      for (int64_t j = 0; j < cols_; ++j)
        load_(line + j * inner_ * item_, values + i * cols_ + j, 1);
    }
  }

  void scatter(const RunContext& context, int64_t row, int64_t n, const T* values) const {
    auto* y = context.data<std::byte>(y_);
    if (inner_ == 1) return store_(values, y + row * cols_ * item_, n * cols_);
    for (int64_t i = 0; i < n; ++i) {
      std::byte* line = y + first_of(row + i) * item_;
      for (int64_t j = 0; j < cols_; ++j)
        store_(values + i * cols_ + j, line + j * inner_ * item_, 1);
    }
  }

  int64_t first_of(int64_t row) const { return row / inner_ * cols_ * inner_ + row % inner_; }

  Tensor x_, y_;
  bool logarithm_;
  const SoftmaxKernels<T>& kernels_;
  int64_t outer_ = 1, cols_ = 1, inner_ = 1;
  int64_t item_ = 1;
  int64_t at_once_ = 1;
  ConvertFn load_ = nullptr, store_ = nullptr;
};

}  // namespace

bool accepts_softmax(const Node& node) {
  return is_floating(node.input(0).dtype) && node.input(0).dtype == node.output().dtype;
}

KernelPtr make_softmax(const Node& node) {
  if (node.input(0).dtype == DType::Float64) return std::make_unique<Softmax<double>>(node);
  return std::make_unique<Softmax<float>>(node);
}

}  // namespace addax::cpu
