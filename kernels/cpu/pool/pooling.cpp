#include <memory>
#include <optional>

#include "cpu/conv/spatial.h"
#include "cpu/lowering/kernels.h"
#include "cpu/pool/pool.h"

namespace addax::cpu {
namespace {

PoolKind kind_of(const Node& node) {
  return node.op().starts_with("max") ? PoolKind::Max : PoolKind::Average;
}

template <class T>
class Pool : public Kernel {
 public:
  explicit Pool(const Node& node)
      : plan_(kind_of(node), pool_shape(node, node.input(0).shape)),
        x_(node.input(0)),
        y_(node.output()) {
    stages_ = plan_.stages();
    workspace_bytes_ = plan_.workspace_bytes();
    image_tensors_ = {x_.id, y_.id};
    if (node.num_outputs() == 2) {
      argmax_ = node.output(1);
      image_tensors_.push_back(argmax_->id);
    }
  }

  void run(const RunContext& context, size_t stage, int64_t chunk) const override {
    PoolArgs<T> args = {context.data<const T>(x_), context.data<T>(y_)};
    if (argmax_) args.argmax = context.data<uint8_t>(*argmax_);
    plan_.run(args, stage, chunk, context.workspace);
  }

 private:
  PoolPlan<T> plan_;
  Tensor x_, y_;
  std::optional<Tensor> argmax_;
};

// max_pool2d_grad(x, dy), max_pool2d_argmax_grad(dy, argmax) and avg_pool2d_grad(dy).
template <class T>
class PoolGrad : public Kernel {
 public:
  explicit PoolGrad(const Node& node)
      : plan_(kind_of(node), pool_shape(node, node.output().shape)), dx_(node.output()) {
    stages_ = plan_.stages();
    workspace_bytes_ = plan_.workspace_bytes();
    if (node.op() == "max_pool2d_grad") {
      x_ = node.input(0);
      dy_ = node.input(1);
    } else {
      dy_ = node.input(0);
      if (node.num_inputs() == 2) argmax_ = node.input(1);
    }
    image_tensors_ = {dy_.id, dx_.id};
    if (x_) image_tensors_.push_back(x_->id);
    if (argmax_) image_tensors_.push_back(argmax_->id);
  }

  void run(const RunContext& context, size_t stage, int64_t chunk) const override {
    PoolGradArgs<T> args;
    if (x_) args.x = context.data<const T>(*x_);
    if (argmax_) args.argmax = context.data<const uint8_t>(*argmax_);
    args.dy = context.data<const T>(dy_);
    args.dx = context.data<T>(dx_);
    plan_.run(args, stage, chunk, context.workspace);
  }

 private:
  PoolGradPlan<T> plan_;
  Tensor dy_, dx_;
  std::optional<Tensor> x_, argmax_;
};

}  // namespace

bool accepts_pool(const Node& node) {
  const DType dtype = node.output().dtype;
  return dtype == DType::Float32 || dtype == DType::Float64;
}

KernelPtr make_pool(const Node& node) {
  if (node.output().dtype == DType::Float64) return std::make_unique<Pool<double>>(node);
  return std::make_unique<Pool<float>>(node);
}

KernelPtr make_pool_grad(const Node& node) {
  if (node.output().dtype == DType::Float64) return std::make_unique<PoolGrad<double>>(node);
  return std::make_unique<PoolGrad<float>>(node);
}

}  // namespace addax::cpu
