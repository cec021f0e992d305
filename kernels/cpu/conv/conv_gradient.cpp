#include <type_traits>

#include "cpu/conv/conv.h"
#include "cpu/conv/spatial.h"
#include "cpu/gemm/gradient_product.h"
#include "cpu/lowering/kernels.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

// The images are of type T.
template <class T>
class ConvGradient : public GradientProduct {
 public:
  using Contraction = std::conditional_t<std::is_same_v<T, BFloat16>,
                                         PairedFilterContraction<float>, FilterContraction<float>>;

  ConvGradient(const Node& node, const Contraction& contraction)
      : GradientProduct(node), contraction_(contraction), x_(node.input(0)), dy_(node.input(1)) {
    if (kIsPrepared) {
      preparation_ = contraction_.stages().front();
      workspace_bytes_ = contraction_.workspace_bytes();
    }
    scratch_.add(contraction_.scratch());
    for (int64_t i = 0; i < contraction_.num_pieces(); ++i) {
      scratch_.add(Scratch::Rows, contraction_.piece(i).size * int64_t{sizeof(float)});
    }
    chunks_ = chunks_for(contraction_.num_pieces(), 1);
  }

  void prepare(const RunContext& context, int64_t chunk, void* workspace) const override {
    if constexpr (kIsPrepared) contraction_.run(args(context), 0, chunk, workspace);
  }

  void visit(const RunContext& context, int64_t chunk, void* workspace,
             const Taker& taker) const override {
    const Range pieces = even_share(contraction_.num_pieces(), chunks_, chunk);
    for (int64_t i = pieces.begin; i < pieces.end; ++i) {
      const auto piece = contraction_.piece(i);
      float* gradient = thread_scratch<float>(Scratch::Rows, static_cast<size_t>(piece.size));
      Ahead ahead = taker.ahead(piece.first, piece.size);
      if constexpr (kIsPrepared) {
        contraction_.run_piece(i, workspace, gradient, ahead);
      } else {
        contraction_.run_piece(args(context), i, gradient, ahead);
      }
      taker.take(piece.first, piece.size, gradient);
    }
  }

 private:
  // Pairs of images are made first.
  static constexpr bool kIsPrepared = std::is_same_v<T, BFloat16>;

  ConvFilterArgs<T, float> args(const RunContext& context) const {
    return {context.data<const T>(x_), context.data<const T>(dy_)};
  }

  Contraction contraction_;
  Tensor x_, dy_;
};

template <class T>
std::unique_ptr<GradientProduct> make(const Node& node, const ConvShape& shape) {
  const typename ConvGradient<T>::Contraction contraction(shape, active_isa());
  if (contraction.num_pieces() == 0) return nullptr;
  return std::make_unique<ConvGradient<T>>(node, contraction);
}

}  // namespace

std::unique_ptr<GradientProduct> make_conv_gradient(const Node& node) {
  const ConvShape shape = conv_shape(node, node.input(0).shape, node.output().shape);
  if (!accepts_conv2d_filter_grad(node) || has_narrow_groups<float>(shape, active_isa())) {
    return nullptr;
  }
  return node.input(0).dtype == DType::BFloat16 ? make<BFloat16>(node, shape)
                                                : make<float>(node, shape);
}

}  // namespace addax::cpu
