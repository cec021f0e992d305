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

  // Whether chunks can make the moments of what they finish.
  bool makes_moments() const { return does_epilogue() && !plan_.rows_of_parts().empty(); }
  std::vector<int64_t> rows_of_parts() const { return plan_.rows_of_parts(); }

  // As `run`, making the moments of y besides, in parts that begin at `parts`.
  void run_with_moments(const RunContext& context, size_t stage, int64_t chunk,
                        const BatchMoments<T>& moments, void* parts) const {
    ConvForwardArgs<T, W> args = args_of(context);
    args.moments = &moments;
    args.parts = parts;
    plan_.run(args, stage, chunk, context.workspace);
  }

 private:
  void run_contraction(const RunContext& context, size_t stage, int64_t chunk) const override {
    plan_.run(args_of(context), stage, chunk, context.workspace);
  }

  ConvForwardArgs<T, W> args_of(const RunContext& context) const {
    ConvForwardArgs<T, W> args;
    args.x = context.data<const T>(x_);
    args.w = context.data<const W>(filter_);
    args.y = context.data<T>(y_);
    args.finish = this->template finish<T>(context);
    return args;
  }

  ConvForwardPlan<T, W> plan_;
  Tensor x_, filter_, y_;
};

// A convolution whose chunks make the moments of what they finish; a last stage puts these
// together.
template <class T, class W>
class Conv2dWithMoments : public Kernel {
 public:
  Conv2dWithMoments(std::unique_ptr<Conv2d<T, W>> conv, const Node& node, const Node& moments)
      : conv_(std::move(conv)),
        moments_(conv_->rows_of_parts(), moments.output().size()),
        parts_(aligned(conv_->workspace_bytes())),
        mean_(moments.output(0)),
        variance_(moments.output(1)) {
    stages_ = conv_->stages();
    for (Stage& stage : stages_) stage.by_images = false;
    stages_.push_back(moments_.stage());
    workspace_bytes_ = parts_ + moments_.workspace_bytes();
    scratch_.add(conv_->scratch());
    absorbed_ = {node.index()};
    title_ = joint_title(title_of(node), title_of(moments));
    bytes_ = node.bytes();
  }

  void run(const RunContext& context, size_t stage, int64_t chunk) const override {
    std::byte* const parts = context.workspace + parts_;
    if (stage + 1 < stages_.size()) {
      conv_->run_with_moments(context, stage, chunk, moments_, parts);
    } else {
      using S = Sum<T>;
      moments_.finish(parts, chunk, context.data<S>(mean_), context.data<S>(variance_));
    }
  }

 private:
  std::unique_ptr<Conv2d<T, W>> conv_;
  BatchMoments<T> moments_;
  size_t parts_;  // where they begin in the workspace
  Tensor mean_, variance_;
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

// Calls `make` for the types of the images and the filter.
template <class Make>
KernelPtr with_types(DType images, DType filter, const Make& make) {
  if (images == DType::Float64) return make.template operator()<double, double>();
  if (images == DType::Float32) return make.template operator()<float, float>();
  if (filter == DType::Float32) return make.template operator()<BFloat16, float>();
  return make.template operator()<BFloat16, BFloat16>();
}

template <template <class, class> class K>
KernelPtr make(const Node& node, DType images, DType filter) {
  return with_types(images, filter,
                    [&]<class T, class W>() { return std::make_unique<K<T, W>>(node); });
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
KernelPtr make_conv2d_with_moments(const Node& moments) {
  if (moments.index() == 0) return nullptr;
  const Node node(moments.graph(), moments.index() - 1);
  const bool is_conv2d = node.op() == "conv2d" || node.op() == "conv2d_epilogue";
  if (!is_conv2d || node.output().id != moments.input(0).id) return nullptr;
  return with_types(node.output().dtype, node.input(1).dtype, [&]<class T, class W>() -> KernelPtr {
    auto conv = std::make_unique<Conv2d<T, W>>(node);
    if (!conv->makes_moments()) return nullptr;
    return std::make_unique<Conv2dWithMoments<T, W>>(std::move(conv), node, moments);
  });
}
KernelPtr make_conv2d_input_grad(const Node& node) {
  return make<Conv2dInputGrad>(node, node.output().dtype, node.input(1).dtype);
}
KernelPtr make_conv2d_filter_grad(const Node& node) {
  return make<Conv2dFilterGrad>(node, node.input(0).dtype, node.output().dtype);
}

}  // namespace addax::cpu
