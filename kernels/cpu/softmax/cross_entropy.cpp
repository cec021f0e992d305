#include <algorithm>
#include <cmath>
#include <memory>

#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/tape.h"
#include "cpu/runtime/scratch.h"
#include "cpu/softmax/softmax_kernels.h"

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
    scratch_.add(Scratch::Rows, 2 * at_once_ * cols_ * int64_t{sizeof(T)});
    const int64_t groups = (rows_ + at_once_ - 1) / at_once_;
    add_stage(std::min(chunks_for(logits_.size(), 4096), groups),
              100 * static_cast<double>(logits_.size()));
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    const Range rows = even_share(rows_, stages_[0].chunks, chunk);
    Batch batch;
    T* scratch = thread_scratch<T>(Scratch::Rows, static_cast<size_t>(2 * at_once_ * cols_));
    batch.exponentials = scratch + at_once_ * cols_;
    for (batch.row = rows.begin; batch.row < rows.end; batch.row += at_once_) {
      batch.n = std::min(at_once_, rows.end - batch.row);
      load_batch(context, scratch, batch);
      kernels_.exponentials(batch.logits, batch.n, cols_, batch.exponentials, batch.maxima,
                            batch.sums);
      if (gradient_) {
        write_gradient(context, batch);
      } else {
        write_loss(context, batch);
      }
    }
  }

 private:
  static constexpr int64_t kMostRows = 128;

  // Rows that are worked on at once.
  struct Batch {
    int64_t row = 0;
    int64_t n = 0;
    const T* logits = nullptr;
    T* exponentials = nullptr;
    T maxima[kMostRows];
    T sums[kMostRows];
    int64_t labels[kMostRows];  // -1: outside [0, cols)
  };

  static int64_t item_of(const Tensor& tensor) {
    return static_cast<int64_t>(addax::size_of(tensor.dtype));
  }

  void load_batch(const RunContext& context, T* scratch, Batch& batch) const {
    const auto* logits =
        context.data<const std::byte>(logits_) + batch.row * cols_ * item_of(logits_);
    if (item_of(logits_) == static_cast<int64_t>(sizeof(T))) {
      batch.logits = reinterpret_cast<const T*>(logits);
    } else {
      load_(logits, scratch, batch.n * cols_);
      batch.logits = scratch;
    }
    const auto* labels = context.data<const std::byte>(labels_) + batch.row * item_of(labels_);
    load_label_(labels, batch.labels, batch.n);
    for (int64_t i = 0; i < batch.n; ++i) {
      if (batch.labels[i] >= 0 && batch.labels[i] < cols_) continue;
      context.failure->report(batch.row + i, static_cast<double>(batch.labels[i]));
      batch.labels[i] = -1;
    }
  }

  void write_loss(const RunContext& context, Batch& batch) const {
    for (int64_t i = 0; i < batch.n; ++i) {
      const int64_t label = batch.labels[i];
      const T chosen = label < 0 ? T{0} : batch.logits[i * cols_ + label];
      // The difference first: it is small where the loss is.
      batch.sums[i] = std::log(batch.sums[i]) + (batch.maxima[i] - chosen);
    }
    store_(batch.sums, context.data<std::byte>(out_) + batch.row * item_of(out_), batch.n);
  }

  void write_gradient(const RunContext& context, Batch& batch) const {
    T dloss[kMostRows];
    load_dloss_(context.data<const std::byte>(dloss_) + batch.row * item_of(dloss_), dloss,
                batch.n);
    for (int64_t i = 0; i < batch.n; ++i) batch.sums[i] = dloss[i] / batch.sums[i];
    kernels_.scale(batch.exponentials, batch.n, cols_, batch.sums);
    for (int64_t i = 0; i < batch.n; ++i) {
      if (batch.labels[i] >= 0) batch.exponentials[i * cols_ + batch.labels[i]] -= dloss[i];
    }
    store_(batch.exponentials, context.data<std::byte>(out_) + batch.row * cols_ * item_of(out_),
           batch.n * cols_);
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
