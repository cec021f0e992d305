#include "cpu/conv/conv_filter_pairs.h"

#include <algorithm>

#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

// Factors of a row of a tile register, and the smallest batch that fills half of them.
constexpr int64_t kTileBundle = 16;
constexpr int64_t kTileBatch = 16;

// Elements whose pairs are made at once: 16 KB of them.
constexpr int64_t kElementsAtOnce = 256;

int64_t bundle_for(const ConvShape& shape, Isa isa) {
  return isa >= Isa::Amx && shape.batch >= kTileBatch ? kTileBundle : 1;
}

ConvShape with_batch(ConvShape shape, int64_t batch) {
  shape.batch = batch;
  return shape;
}

}  // namespace

template <class R>
PairedFilterContraction<R>::PairedFilterContraction(const ConvShape& shape, Isa isa)
    : PairedFilterContraction(shape, isa, bundle_for(shape, isa)) {}

template <class R>
PairedFilterContraction<R>::PairedFilterContraction(const ConvShape& shape, Isa isa, int64_t bundle)
    : batch_(shape.batch),
      bundle_(bundle),
      bundles_(ceil_div(shape.batch, 2 * bundle)),
      pack_(gemm_kernels<BFloat16>(isa).pack),
      x_{input_size(shape), gemm_kernels<BFloat16>(isa).packed_width(input_size(shape)), 0},
      dy_{output_size(shape), gemm_kernels<BFloat16>(isa).packed_width(output_size(shape)), 0},
      contraction_(with_batch(shape, pairs()), isa, {bundle, bundle * x_.row, dy_.row}) {
  const auto bytes = [&](const Images& images) {
    return static_cast<std::size_t>(pairs() * images.row) * sizeof(BFloat16Pair);
  };
  x_.offset = aligned(contraction_.workspace_bytes());
  dy_.offset = x_.offset + bytes(x_);
  workspace_bytes_ = dy_.offset + bytes(dy_);
  const double moved = 2.0 * static_cast<double>(bytes(x_) + bytes(dy_));
  stages_.push_back(Stage{pairs(), kFlopsPerByte * moved});
  stages_.insert(stages_.end(), contraction_.stages().begin(), contraction_.stages().end());
}

template <class R>
ScratchNeeds PairedFilterContraction<R>::scratch() const {
  ScratchNeeds needs = contraction_.scratch();
  if (bundle_ > 1) {
    needs.add(Scratch::Panel, bundle_ * kElementsAtOnce * int64_t{sizeof(BFloat16Pair)});
  }
  return needs;
}

template <class R>
double PairedFilterContraction<R>::flops() const {
  const double computed = 2.0 * static_cast<double>(pairs());
  return batch_ == 0 ? 0 : contraction_.flops() * static_cast<double>(batch_) / computed;
}

template <class R>
BFloat16Pair* PairedFilterContraction<R>::place(const Images& images, void* workspace) const {
  return reinterpret_cast<BFloat16Pair*>(static_cast<std::byte*>(workspace) + images.offset);
}

// Elements [begin, begin + count) of two images; `to` has room for whole vectors.
template <class R>
void PairedFilterContraction<R>::interleave(const BFloat16* from, int64_t size, int64_t pair,
                                            int64_t begin, int64_t count, BFloat16Pair* to) const {
  const int64_t images = std::clamp<int64_t>(batch_ - 2 * pair, 0, 2);
  if (images == 0) {
    std::fill_n(to, count, BFloat16Pair{});
  } else {
    pack_(from + 2 * pair * size + begin, size, 1, images, count, to);
  }
}

// The pairs of a bundle's images, element by element.
template <class R>
void PairedFilterContraction<R>::bundle_x(const BFloat16* from, int64_t bundle,
                                          BFloat16Pair* to) const {
  auto* rows = thread_scratch<BFloat16Pair>(Scratch::Panel, bundle_ * kElementsAtOnce);
  for (int64_t begin = 0; begin < x_.size; begin += kElementsAtOnce) {
    const int64_t count = std::min(kElementsAtOnce, x_.size - begin);
    for (int64_t i = 0; i < bundle_; ++i) {
      interleave(from, x_.size, bundle * bundle_ + i, begin, count, rows + i * kElementsAtOnce);
    }
    // Transposing moves pairs as the 32 bits that they are.
    gemm_kernels<float>(Isa::Avx512)
        .pack(reinterpret_cast<const float*>(rows), 1, kElementsAtOnce, count, bundle_,
              reinterpret_cast<float*>(to + begin * bundle_));
  }
}

template <class R>
void PairedFilterContraction<R>::run(const ConvFilterArgs<BFloat16, R>& args, std::size_t stage,
                                     int64_t chunk, void* workspace) const {
  BFloat16Pair* x = place(x_, workspace);
  BFloat16Pair* dy = place(dy_, workspace);
  if (stage > 0) {
    contraction_.run({x, dy, args.dw, args.accumulate}, stage - 1, chunk, workspace);
    return;
  }
  interleave(args.dy, dy_.size, chunk, 0, dy_.size, dy + chunk * dy_.row);
  if (bundle_ == 1) {
    interleave(args.x, x_.size, chunk, 0, x_.size, x + chunk * x_.row);
  } else if (chunk % bundle_ == 0) {
    bundle_x(args.x, chunk / bundle_, x + chunk * x_.row);
  }
}

template <class R>
void PairedFilterContraction<R>::run_piece(int64_t index, void* workspace, float* out,
                                           Ahead& ahead) const {
  contraction_.run_piece({place(x_, workspace), place(dy_, workspace)}, index, out, ahead);
}

template class PairedFilterContraction<BFloat16>;
template class PairedFilterContraction<float>;

}  // namespace addax::cpu
