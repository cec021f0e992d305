#include "cpu/conv_filter_pairs.h"

#include <algorithm>

namespace addax::cpu {
namespace {

ConvShape with_pairs(ConvShape shape) {
  shape.batch = ceil_div(shape.batch, 2);
  return shape;
}

std::size_t aligned(std::size_t bytes) {
  return (bytes + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment;
}

}  // namespace

template <class R>
PairedFilterContraction<R>::PairedFilterContraction(const ConvShape& shape, Isa isa)
    : batch_(shape.batch),
      pack_(gemm_kernels<BFloat16>(isa).pack),
      x_{input_size(shape), gemm_kernels<BFloat16>(isa).packed_width(input_size(shape)), 0},
      dy_{output_size(shape), gemm_kernels<BFloat16>(isa).packed_width(output_size(shape)), 0},
      contraction_(with_pairs(shape), isa, x_.row, dy_.row) {
  const int64_t pairs = ceil_div(batch_, 2);
  const auto bytes = [&](const Images& images) {
    return static_cast<std::size_t>(pairs * images.row) * sizeof(BFloat16Pair);
  };
  x_.offset = aligned(contraction_.workspace_bytes());
  dy_.offset = x_.offset + bytes(x_);
  const double moved = 2.0 * static_cast<double>(bytes(x_) + bytes(dy_));
  stages_.push_back(Stage{pairs, kFlopsPerByte * moved});
  stages_.insert(stages_.end(), contraction_.stages().begin(), contraction_.stages().end());
}

template <class R>
std::size_t PairedFilterContraction<R>::workspace_bytes() const {
  const int64_t pairs = ceil_div(batch_, 2);
  return dy_.offset + static_cast<std::size_t>(pairs * dy_.row) * sizeof(BFloat16Pair);
}

template <class R>
double PairedFilterContraction<R>::flops() const {
  const int64_t paired = 2 * ceil_div(batch_, 2);
  return paired == 0
             ? 0
             : contraction_.flops() * static_cast<double>(batch_) / static_cast<double>(paired);
}

template <class R>
BFloat16Pair* PairedFilterContraction<R>::pairs(const Images& images, void* workspace) const {
  return reinterpret_cast<BFloat16Pair*>(static_cast<std::byte*>(workspace) + images.offset);
}

template <class R>
void PairedFilterContraction<R>::interleave(const Images& images, const BFloat16* from,
                                            int64_t pair, void* workspace) const {
  const int64_t first = 2 * pair;
  pack_(from + first * images.size, images.size, 1, std::min<int64_t>(2, batch_ - first),
        images.size, pairs(images, workspace) + pair * images.row);
}

template <class R>
void PairedFilterContraction<R>::run(const ConvFilterArgs<BFloat16, R>& args, std::size_t stage,
                                     int64_t chunk, void* workspace) const {
  if (stage == 0) {
    interleave(x_, args.x, chunk, workspace);
    interleave(dy_, args.dy, chunk, workspace);
    return;
  }
  contraction_.run({pairs(x_, workspace), pairs(dy_, workspace), args.dw, args.accumulate},
                   stage - 1, chunk, workspace);
}

template class PairedFilterContraction<BFloat16>;
template class PairedFilterContraction<float>;

}  // namespace addax::cpu
