#include <algorithm>
#include <cmath>
#include <memory>

#include "cpu/kernels.h"
#include "cpu/scratch.h"
#include "cpu/softmax_kernels.h"
#include "cpu/tape.h"

namespace addax::cpu {
namespace {

// Softmax cross-entropy of logits [rows, cols] against a label per row, or its gradient:
//   loss = max + log(sum of exp(x - max)) - x[label],   dlogits = (softmax(x) - [label]) * dloss.
// A label outside [0, cols) is reported and its row left at 0.
template <class T>
class CrossEntropy : public Kernel {
 public:
  CrossEntropy(const Node& node, bool gradient)
      : logits_(node.input(0)),
        labels_(node.input(1)),
        dloss_(gradient ? node.input(2) : Tensor()),
        out_(node.output()),
        gradient_(gradient),
        kernels_(softmax_kernels<T>(active_isa())),
        rows_(labels_.size()),
        cols_(logits_.shape[logits_.shape.rank() - 1]) {
    const TapeOps& ops = tape_ops(active_isa());
    constexpr auto kClass = sizeof(T) == 4 ? ComputeClass::F32 : ComputeClass::F64;
    load_ = ops.of(kClass).load[static_cast<size_t>(logits_.dtype)];
    load_dloss_ = ops.of(kClass).load[static_cast<size_t>(dloss_.dtype)];
    store_ = ops.of(kClass).store[static_cast<size_t>(out_.dtype)];
    load_label_ = ops.i64.load[static_cast<size_t>(labels_.dtype)];
    at_once_ = std::clamp<int64_t>(block_size(kClass) / std::max<int64_t>(cols_, 1), 1, kMostRows);
    const int64_t groups = (rows_ + at_once_ - 1) / at_once_;
    add_stage(std::min(chunks_for(logits_.size(), 4096), groups),
              100 * static_cast<double>(logits_.size()));
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    const Range rows = even_share(rows_, stages_[0].chunks, chunk);
    T* values = thread_scratch<T>(Scratch::Rows, static_cast<size_t>(at_once_ * cols_));
    for (int64_t row = rows.begin; row < rows.end; row += at_once_) {
      run_rows(context, row, std::min(at_once_, rows.end - row), values);
    }
  }

 private:
  static constexpr int64_t kMostRows = 128;

  static int64_t bytes_of(const Tensor& tensor) {
    return static_cast<int64_t>(addax::size_of(tensor.dtype));
  }

  void run_rows(const RunContext& context, int64_t row, int64_t n, T* values) const {
    T maxima[kMostRows], sums[kMostRows];
    int64_t labels[kMostRows];
    load_(context.data<const std::byte>(logits_) + row * cols_ * bytes_of(logits_), values,
          n * cols_);
    load_label_(context.data<const std::byte>(labels_) + row * bytes_of(labels_), labels, n);
    for (int64_t i = 0; i < n; ++i) {
      if (labels[i] >= 0 && labels[i] < cols_) continue;
      context.failure->report(row + i, static_cast<double>(labels[i]));
      labels[i] = -1;
    }
    if (gradient_) {
      write_gradient(context, row, n, values, maxima, sums, labels);
    } else {
      write_loss(context, row, n, values, maxima, sums, labels);
    }
  }

  void write_loss(const RunContext& context, int64_t row, int64_t n, T* values, T* maxima, T* sums,
                  const int64_t* labels) const {
    T chosen[kMostRows];
    for (int64_t i = 0; i < n; ++i)
      chosen[i] = labels[i] < 0 ? T{0} : values[i * cols_ + labels[i]];
    kernels_.exponentials(values, n, cols_, maxima, sums);
    // The difference first: it is small where the loss is.
    for (int64_t i = 0; i < n; ++i) sums[i] = std::log(sums[i]) + (maxima[i] - chosen[i]);
    store_(sums, context.data<std::byte>(out_) + row * bytes_of(out_), n);
  }

  void write_gradient(const RunContext& context, int64_t row, int64_t n, T* values, T* maxima,
                      T* sums, const int64_t* labels) const {
    T dloss[kMostRows];
    load_dloss_(context.data<const std::byte>(dloss_) + row * bytes_of(dloss_), dloss, n);
    kernels_.exponentials(values, n, cols_, maxima, sums);
    for (int64_t i = 0; i < n; ++i) sums[i] = dloss[i] / sums[i];
    kernels_.scale(values, n, cols_, sums);
    for (int64_t i = 0; i < n; ++i) {
      if (labels[i] >= 0) values[i * cols_ + labels[i]] -= dloss[i];
    }
    store_(values, context.data<std::byte>(out_) + row * cols_ * bytes_of(out_), n * cols_);
  }

  Tensor logits_, labels_, dloss_, out_;
  bool gradient_;
  const SoftmaxKernels<T>& kernels_;
  int64_t rows_, cols_;
  int64_t at_once_ = 1;
  ConvertFn load_ = nullptr, load_dloss_ = nullptr, store_ = nullptr, load_label_ = nullptr;
};

KernelPtr make(const Node& node, bool gradient) {
  if (node.input(0).dtype == DType::Float64) {
    return std::make_unique<CrossEntropy<double>>(node, gradient);
  }
  return std::make_unique<CrossEntropy<float>>(node, gradient);
}

}  // namespace

bool accepts_cross_entropy(const Node& node) {
  return is_floating(node.input(0).dtype) && is_integer(node.input(1).dtype);
}

KernelPtr make_cross_entropy(const Node& node) { return make(node, false); }
KernelPtr make_cross_entropy_grad(const Node& node) { return make(node, true); }

}  // namespace addax::cpu
