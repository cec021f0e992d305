#include <algorithm>
#include <cstring>
#include <memory>

#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/tape.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

constexpr int64_t kGrainBytes = 32 << 10;
constexpr int64_t kCacheLine = 64;
// How far ahead of the copy rows are fetched.
constexpr int64_t kAheadBytes = 4096;

// x [outer, extent, inner] gathered at m indices: y [outer, m, inner], converted on the way. A row
// is one index of one outer position.
class Take : public Kernel {
 public:
  explicit Take(const Node& node)
      : x_(node.input(0)), indices_(node.input(1)), y_(node.output()), count_(indices_.size()) {
    const int axis = static_cast<int>(node.integer("axis", 0));
    for (int i = 0; i < axis; ++i) outer_ *= x_.shape[i];
    for (int i = axis + 1; i < x_.shape.rank(); ++i) inner_ *= x_.shape[i];
    extent_ = x_.shape[axis];
    item_ = static_cast<int64_t>(addax::size_of(x_.dtype));
    y_item_ = static_cast<int64_t>(addax::size_of(y_.dtype));
    const DType dtypes[] = {x_.dtype, y_.dtype};
    class_ = class_of(dtypes);
    const ClassOps& ops = tape_ops(active_isa()).of(class_);
    load_ = ops.load[static_cast<size_t>(x_.dtype)];
    store_ = ops.store[static_cast<size_t>(y_.dtype)];
    load_index_ = tape_ops(active_isa()).i64.load[static_cast<size_t>(indices_.dtype)];
    ahead_ = std::clamp<int64_t>(kAheadBytes / std::max<int64_t>(inner_ * item_, 1), 1, kGroup);
    const int64_t rows = outer_ * count_;
    const int64_t bytes = rows * inner_ * (item_ + y_item_);
    bytes_ = static_cast<double>(bytes);
    scratch_.add(Scratch::Rows, kBlockBytes);
    add_stage(std::min(chunks_for(bytes, kGrainBytes), std::max<int64_t>(rows, 1)),
              2 * bytes_cost(bytes));
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    const Range rows = even_share(outer_ * count_, stages_[0].chunks, chunk);
    for (int64_t row = rows.begin; row < rows.end;) {
      const int64_t left = count_ - row % count_;
      const int64_t n = std::min({kGroup, rows.end - row, left});
      take_rows(context, row, n);
      row += n;
    }
  }

 private:
  static constexpr int64_t kGroup = 64;

  // `n` rows of one outer position, each fetched while earlier ones are copied. The rows behind
  // them are fetched as well: the thread goes on with the next chunk, most likely.
  void take_rows(const RunContext& context, int64_t row, int64_t n) const {
    const int64_t outer = row / count_, first = row % count_;
    const auto index_item = static_cast<int64_t>(addax::size_of(indices_.dtype));
    const int64_t fetched = std::min(n + ahead_, count_ - first);
    int64_t indices[2 * kGroup];
    load_index_(context.data<const std::byte>(indices_) + first * index_item, indices, fetched);
    for (int64_t i = 0; i < std::min(ahead_, fetched); ++i) prefetch(context, outer, indices[i]);
    std::byte* to = context.data<std::byte>(y_) + row * inner_ * y_item_;
    for (int64_t i = 0; i < n; ++i, to += inner_ * y_item_) {
      if (i + ahead_ < fetched) prefetch(context, outer, indices[i + ahead_]);
      if (indices[i] < 0 || indices[i] >= extent_) {
        context.failure->report(first + i, static_cast<double>(indices[i]));
        std::memset(to, 0, static_cast<size_t>(inner_ * y_item_));
      } else {
        copy_row(source(context, outer, indices[i]), to);
      }
    }
  }

  const std::byte* source(const RunContext& context, int64_t outer, int64_t index) const {
    return context.data<const std::byte>(x_) + (outer * extent_ + index) * inner_ * item_;
  }

  // Rows lie anywhere in a data set that fits no cache.
  void prefetch(const RunContext& context, int64_t outer, int64_t index) const {
    if (index < 0 || index >= extent_) return;
    const std::byte* row = source(context, outer, index);
    const int64_t bytes = std::min<int64_t>(inner_ * item_, 8192);
    for (int64_t at = 0; at < bytes; at += kCacheLine) __builtin_prefetch(row + at);
  }

  void copy_row(const std::byte* from, std::byte* to) const {
    if (x_.dtype == y_.dtype) {
      std::memcpy(to, from, static_cast<size_t>(inner_ * item_));
    } else if (y_.dtype == dtype_of(class_)) {
      load_(from, to, inner_);
    } else if (x_.dtype == dtype_of(class_)) {
      store_(from, to, inner_);
    } else {
      const int64_t block = block_size(class_);
      auto* values = thread_scratch<std::byte>(Scratch::Rows, kBlockBytes);
      for (int64_t i = 0; i < inner_; i += block) {
        const int64_t n = std::min(block, inner_ - i);
        load_(from + i * item_, values, n);
        store_(values, to + i * y_item_, n);
      }
    }
  }

  Tensor x_, indices_, y_;
  int64_t outer_ = 1, extent_ = 1, inner_ = 1;
  int64_t count_;
  int64_t item_ = 1, y_item_ = 1;
  int64_t ahead_ = 1;
  ComputeClass class_ = ComputeClass::F32;
  ConvertFn load_ = nullptr, store_ = nullptr, load_index_ = nullptr;
};

}  // namespace

bool accepts_take(const Node& node) { return is_integer(node.input(1).dtype); }

KernelPtr make_take(const Node& node) { return std::make_unique<Take>(node); }

}  // namespace addax::cpu
