#include <memory>

#include "cpu/conv/conv.h"
#include "cpu/conv/spatial.h"
#include "cpu/gemm/epilogue.h"
#include "cpu/lowering/kernels.h"

namespace addax::cpu {
namespace {

// The images are of type T, the filter (or its gradient) of type W.
template <class T, class W>
class Conv2d : public ContractionKernel {
 public:
  explicit Conv2d(const Node& node)
      : plan_(conv_shape(node, node.input(0).shape, node.input(1).shape)),
        x_(node.input(0)),
        filter_(node.input(1)),
        y_(node.output()) {
    add_plan(plan_);
    add_epilogue(node);
    image_tensors_ = {x_.id, y_.id};
  }

 private:
  void run_contraction(const RunContext& context, size_t stage, int64_t chunk) const override {
    ConvForwardArgs<T, W> args;
    args.x = context.data<const T>(x_);
    args.w = context.data<const W>(filter_);
    args.y = context.data<T>(y_);
    args.finish = finish<T>(context);
    plan_.run(args, stage, chunk, context.workspace);
  }

  ConvForwardPlan<T, W> plan_;
  Tensor x_, filter_, y_;
};

template <class T, class W>
class Conv2dInputGrad : public ContractionKernel {
 public:
  explicit Conv2dInputGrad(const Node& node)
      : plan_(conv_shape(node, node.output().shape, node.input(1).shape)),
        dy_(node.input(0)),
        filter_(node.input(1)),
        dx_(node.output()) {
    add_plan(plan_);
    add_epilogue(node);
    image_tensors_ = {dy_.id, dx_.id};
  }

 private:
  void run_contraction(const RunContext& context, size_t stage, int64_t chunk) const override {
    ConvDataArgs<T, W> args;
    args.dy = context.data<const T>(dy_);
    args.w = context.data<const W>(filter_);
    args.dx = context.data<T>(dx_);
    args.finish = finish<T>(context);
    plan_.run(args, stage, chunk, context.workspace);
  }

  ConvDataPlan<T, W> plan_;
  Tensor dy_, filter_, dx_;
};

template <class T, class W>
class Conv2dFilterGrad : public Kernel {
 public:
  explicit Conv2dFilterGrad(const Node& node)
      : plan_(conv_shape(node, node.input(0).shape, node.output().shape)),
        x_(node.input(0)),
        dy_(node.input(1)),
        dfilter_(node.output()) {
    stages_ = plan_.stages();
    workspace_bytes_ = plan_.workspace_bytes();
    scratch_.add(plan_.scratch());
    image_tensors_ = {x_.id, dy_.id};
  }

  void run(const RunContext& context, size_t stage, int64_t chunk) const override {
    ConvFilterArgs<T, W> args;
    args.x = context.data<const T>(x_);
    args.dy = context.data<const T>(dy_);
    args.dw = context.data<W>(dfilter_);
    plan_.run(args, stage, chunk, context.workspace);
  }

 private:
  ConvFilterPlan<T, W> plan_;
  Tensor x_, dy_, dfilter_;
};

template <template <class, class> class K>
KernelPtr make(const Node& node, DType images, DType filter) {
  if (images == DType::Float64) return std::make_unique<K<double, double>>(node);
  if (images == DType::Float32) return std::make_unique<K<float, float>>(node);
  if (filter == DType::Float32) return std::make_unique<K<BFloat16, float>>(node);
  return std::make_unique<K<BFloat16, BFloat16>>(node);
}

bool accepts(DType dtype, const ConvShape& shape, bool by_input) {
  if (dtype == DType::BFloat16) return takes_bfloat16(shape, by_input);
  return dtype == DType::Float32 || dtype == DType::Float64;
}

}  // namespace

bool accepts_conv2d(const Node& node) {
  const ConvShape shape = conv_shape(node, node.input(0).shape, node.input(1).shape);
  return accepts(node.output().dtype, shape, false);
}
bool accepts_conv2d_input_grad(const Node& node) {
  const ConvShape shape = conv_shape(node, node.output().shape, node.input(1).shape);
  return accepts(node.output().dtype, shape, true);
}
bool accepts_conv2d_filter_grad(const Node& node) {
  const DType dtype = node.input(0).dtype;
  const ConvShape shape = conv_shape(node, node.input(0).shape, node.output().shape);
  if (dtype == DType::BFloat16) {
    return has_bfloat16_kernels(active_isa()) && !has_narrow_groups<float>(shape, active_isa());
  }
  return dtype == DType::Float32 || dtype == DType::Float64;
}

// What the kernel can't do itself is better left to a loop that its readers share.
bool accepts_conv2d_input_grad_epilogue(const Node& node) {
  return accepts_conv2d_input_grad(node) && match_epilogue(node);
}

KernelPtr make_conv2d(const Node& node) {
  return make<Conv2d>(node, node.output().dtype, node.input(1).dtype);
}
KernelPtr make_conv2d_input_grad(const Node& node) {
  return make<Conv2dInputGrad>(node, node.output().dtype, node.input(1).dtype);
}
KernelPtr make_conv2d_filter_grad(const Node& node) {
  return make<Conv2dFilterGrad>(node, node.input(0).dtype, node.output().dtype);
}

}  // namespace addax::cpu
