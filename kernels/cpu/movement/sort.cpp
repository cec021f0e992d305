#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>

#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/tape.h"
#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

// Unsigned numbers in the order of the values: -0 with +0, every NaN behind infinity. By the bits,
// since arithmetic flushes denormals.
uint32_t key_of(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return UINT32_MAX;
  return magnitude == bits ? bits | 0x80000000 : 0x80000000 - magnitude;
}

uint64_t key_of(double x) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  const auto bits = std::bit_cast<uint64_t>(x);
  const uint64_t magnitude = bits & ~kSign;
  if (magnitude > 0x7ff0000000000000) return UINT64_MAX;
  return magnitude == bits ? bits | kSign : kSign - magnitude;
}

uint64_t key_of(int64_t x) { return static_cast<uint64_t>(x) ^ (uint64_t{1} << 63); }

// Positions break ties, so that any way of sorting is stable.
template <class Key>
struct Entry {
  Key key;
  int32_t position;
  auto operator<=>(const Entry&) const = default;
};

// The elements of each line of x [outer, extent, inner] in order, or the first of them: their
// values, their positions, or both. One line belongs to one thread.
class Sort : public Kernel {
 public:
  Sort(const Node& node, int axis, bool descending, const Tensor* values, const Tensor* positions)
      : x_(node.input(0)),
        descending_(descending),
        has_values_(values != nullptr),
        has_positions_(positions != nullptr) {
    if (has_values_) values_ = *values;
    if (has_positions_) positions_ = *positions;
    for (int i = 0; i < axis; ++i) outer_ *= x_.shape[i];
    for (int i = axis + 1; i < x_.shape.rank(); ++i) inner_ *= x_.shape[i];
    extent_ = x_.shape[axis];
    kept_ = node.output().shape[axis];
    item_ = static_cast<int64_t>(addax::size_of(x_.dtype));
    class_ = class_of(std::span(&x_.dtype, 1));
    load_ = tape_ops(active_isa()).of(class_).load[static_cast<size_t>(x_.dtype)];
    const double cost = 16 * static_cast<double>(x_.size()) *
                        std::log2(static_cast<double>(std::max<int64_t>(extent_, 2)));
    scratch_.add(Scratch::Rows, extent_ * int64_t{sizeof(Entry<uint64_t>)});
    add_stage(std::min(chunks_for(x_.size(), 1024), std::max<int64_t>(outer_ * inner_, 1)), cost);
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    if (x_.size() == 0) return;
    if (class_ == ComputeClass::F32) return sort_lines<float>(context, chunk);
    if (class_ == ComputeClass::F64) return sort_lines<double>(context, chunk);
    sort_lines<int64_t>(context, chunk);
  }

 private:
  template <class T>
  void sort_lines(const RunContext& context, int64_t chunk) const {
    const Range lines = even_share(outer_ * inner_, stages_[0].chunks, chunk);
    for (int64_t line = lines.begin; line < lines.end; ++line) {
      const int64_t outer = line / inner_, inner = line % inner_;
      const auto* x =
          context.data<const std::byte>(x_) + (outer * extent_ * inner_ + inner) * item_;
      const auto* order = sort_line<T>(x);
      for (int64_t i = 0; i < kept_; ++i) {
        const int64_t to = (outer * kept_ + i) * inner_ + inner;
        const int32_t from = order[i].position;
        if (has_positions_) context.data<int32_t>(positions_)[to] = from;
        if (has_values_) {
          copy_item(x + from * inner_ * item_, context.data<std::byte>(values_) + to * item_);
        }
      }
    }
  }

  // The first `kept_` entries are in order.
  template <class T>
  auto sort_line(const std::byte* x) const {
    using Key = decltype(key_of(T()));
    constexpr int64_t kAtOnce = 256;
    T values[kAtOnce];
    auto* entries = thread_scratch<Entry<Key>>(Scratch::Rows, static_cast<size_t>(extent_));
    for (int64_t begin = 0; begin < extent_; begin += kAtOnce) {
      const int64_t n = std::min(kAtOnce, extent_ - begin);
      if (inner_ == 1) {
        load_(x + begin * item_, values, n);
      } else {
        for (int64_t i = 0; i < n; ++i) load_(x + (begin + i) * inner_ * item_, values + i, 1);
      }
      for (int64_t i = 0; i < n; ++i) {
        const Key key = key_of(values[i]);
        entries[begin + i] = {descending_ ? ~key : key, static_cast<int32_t>(begin + i)};
      }
    }
    if (kept_ < extent_) std::nth_element(entries, entries + kept_, entries + extent_);
    std::sort(entries, entries + kept_);
    return entries;
  }

  void copy_item(const std::byte* from, std::byte* to) const {
    switch (item_) {
      case 1:
        *to = *from;
        break;
      case 2:
        std::memcpy(to, from, 2);
        break;
      case 4:
        std::memcpy(to, from, 4);
        break;
      default:
        std::memcpy(to, from, 8);
    }
  }

  Tensor x_, values_, positions_;
  bool descending_, has_values_, has_positions_;
  int64_t outer_ = 1, extent_ = 1, inner_ = 1;
  int64_t kept_ = 0;
  int64_t item_ = 1;
  ComputeClass class_ = ComputeClass::F32;
  ConvertFn load_ = nullptr;
};

int axis_of(const Node& node) { return static_cast<int>(node.integer("axis")); }

}  // namespace

bool accepts_sort(const Node& node) { return !node.inputs().empty(); }

KernelPtr make_sort(const Node& node) {
  return std::make_unique<Sort>(node, axis_of(node), false, &node.output(), nullptr);
}

KernelPtr make_argsort(const Node& node) {
  return std::make_unique<Sort>(node, axis_of(node), node.flag("descending"), nullptr,
                                &node.output());
}

KernelPtr make_top_k(const Node& node) {
  return std::make_unique<Sort>(node, node.input(0).shape.rank() - 1, true, &node.output(0),
                                &node.output(1));
}

}  // namespace addax::cpu
