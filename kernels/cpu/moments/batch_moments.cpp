#include <memory>

#include "cpu/lowering/kernels.h"
#include "cpu/moments/moments.h"

namespace addax::cpu {
namespace {

// Rows of a chunk, at least.
constexpr int64_t kRows = 256;

template <class T>
class BatchMomentsKernel : public Kernel {
 public:
  explicit BatchMomentsKernel(const Node& node)
      : x_(node.input(0)),
        mean_(node.output(0)),
        variance_(node.output(1)),
        columns_(mean_.size()),
        rows_(x_.size() / columns_),
        chunks_(chunks_for(rows_, kRows, static_cast<int64_t>(kMaxChunks))),
        moments_(rows_of_chunks(), columns_) {
    add_stage(chunks_, bytes_cost(x_.bytes()) + node.flops());
    stages_.front().by_images = divides(chunks_, x_.shape[0]);
    stages_.push_back(moments_.stage());
    workspace_bytes_ = moments_.workspace_bytes();
    image_tensors_ = {x_.id};
  }

  void run(const RunContext& context, size_t stage, int64_t chunk) const override {
    using S = Sum<T>;
    if (stage == 1) {
      return moments_.finish(context.workspace, chunk, context.data<S>(mean_),
                             context.data<S>(variance_));
    }
    const Range rows = even_share(rows_, chunks_, chunk);
    Moments<S> moments = moments_.part(context.workspace, chunk);
    moments_.add(context.data<const T>(x_) + rows.begin * columns_, columns_, rows.size(), columns_,
                 moments);
  }

 private:
  std::vector<int64_t> rows_of_chunks() const {
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < chunks_; ++i) rows.push_back(even_share(rows_, chunks_, i).size());
    return rows;
  }

  Tensor x_, mean_, variance_;
  int64_t columns_, rows_, chunks_;
  BatchMoments<T> moments_;
};

}  // namespace

bool accepts_batch_moments(const Node& node) {
  const Tensor& x = node.input(0);
  const bool taken =
      x.dtype == DType::Float32 || x.dtype == DType::Float64 || x.dtype == DType::BFloat16;
  return taken && x.size() > 0;
}

KernelPtr make_batch_moments(const Node& node) {
  if (KernelPtr kernel = make_conv2d_with_moments(node)) return kernel;
  switch (node.input(0).dtype) {
    case DType::Float64:
      return std::make_unique<BatchMomentsKernel<double>>(node);
    case DType::BFloat16:
      return std::make_unique<BatchMomentsKernel<BFloat16>>(node);
    default:
      return std::make_unique<BatchMomentsKernel<float>>(node);
  }
}

}  // namespace addax::cpu
