#include <algorithm>
#include <memory>

#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/tape.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

constexpr int64_t kGrainBytes = 64 << 10;

// y [outer, extent, inner] of zeros, to which updates [outer, m, inner] are added at m positions. A
// chunk owns rows of y and takes from the indices those that name its rows, in their order.
class ScatterAdd : public Kernel {
 public:
  explicit ScatterAdd(const Node& node)
      : indices_(node.input(0)), updates_(node.input(1)), y_(node.output()) {
    const int axis = static_cast<int>(node.integer("axis", 0));
    for (int i = 0; i < axis; ++i) outer_ *= y_.shape[i];
    for (int i = axis + 1; i < y_.shape.rank(); ++i) inner_ *= y_.shape[i];
    extent_ = y_.shape[axis];
    count_ = indices_.size();
    item_ = static_cast<int64_t>(addax::size_of(y_.dtype));
    class_ = class_of(std::span(&y_.dtype, 1));
    const TapeOps& ops = tape_ops(active_isa());
    load_ = ops.of(class_).load[static_cast<size_t>(y_.dtype)];
    store_ = ops.of(class_).store[static_cast<size_t>(y_.dtype)];
    add_ = ops.of(class_).fold_columns[static_cast<size_t>(ReduceKind::Sum)];
    load_index_ = ops.i64.load[static_cast<size_t>(indices_.dtype)];
    // Every chunk reads all indices: few chunks, unless rows are long.
    const int64_t most =
        std::clamp<int64_t>(y_.bytes() / (8 * std::max<int64_t>(count_, 1)), 4, 64);
    scratch_.add(Scratch::Rows, 2 * kBlockBytes);
    add_stage(std::min(chunks_for(y_.bytes() + updates_.bytes(), kGrainBytes, most),
                       std::max<int64_t>(outer_ * extent_, 1)),
              bytes_cost(2 * y_.bytes() + 2 * updates_.bytes()));
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    const Range rows = even_share(outer_ * extent_, stages_[0].chunks, chunk);
    std::byte* y = context.data<std::byte>(y_);
    std::fill(y + rows.begin * inner_ * item_, y + rows.end * inner_ * item_, std::byte{0});
    for (int64_t i = 0; i < count_; ++i) {
      const auto index_item = static_cast<int64_t>(addax::size_of(indices_.dtype));
      int64_t index;
      load_index_(context.data<const std::byte>(indices_) + i * index_item, &index, 1);
      if (index < 0 || index >= extent_) {
        context.failure->report(i, static_cast<double>(index));
        continue;
      }
      // The first outer position whose row `index` is this chunk's or lies behind its begin.
      int64_t outer = std::max<int64_t>(0, (rows.begin - index + extent_ - 1) / extent_);
      for (; outer < outer_ && outer * extent_ + index < rows.end; ++outer) {
        const auto* from =
            context.data<const std::byte>(updates_) + (outer * count_ + i) * inner_ * item_;
        add_row(from, y + (outer * extent_ + index) * inner_ * item_);
      }
    }
  }

 private:
  void add_row(const std::byte* from, std::byte* to) const {
    auto* values = thread_scratch<std::byte>(Scratch::Rows, 2 * kBlockBytes);
    std::byte* sums = values + kBlockBytes;
    const int64_t block = block_size(class_);
    for (int64_t i = 0; i < inner_; i += block) {
      const int64_t n = std::min(block, inner_ - i);
      load_(from + i * item_, values, n);
      load_(to + i * item_, sums, n);
      add_(values, 1, n, sums);
      store_(sums, to + i * item_, n);
    }
  }

  Tensor indices_, updates_, y_;
  int64_t outer_ = 1, extent_ = 1, inner_ = 1;
  int64_t count_ = 0;
  int64_t item_ = 1;
  ComputeClass class_ = ComputeClass::F32;
  ConvertFn load_ = nullptr, store_ = nullptr, load_index_ = nullptr;
  FoldColumnsFn add_ = nullptr;
};

}  // namespace

bool accepts_scatter_add(const Node& node) {
  return is_integer(node.input(0).dtype) && node.output().dtype != DType::Bool;
}

KernelPtr make_scatter_add(const Node& node) { return std::make_unique<ScatterAdd>(node); }

}  // namespace addax::cpu
