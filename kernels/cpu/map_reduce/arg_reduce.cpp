#include <algorithm>
#include <memory>

#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/tape.h"

namespace addax::cpu {
namespace {

// Position of the first extreme along one axis of x [outer, extent, inner]; the first NaN wins.
class ArgReduce : public Kernel {
 public:
  explicit ArgReduce(const Node& node)
      : x_(node.input(0)), y_(node.output()), largest_(node.op() == "argmax") {
    const int axis = static_cast<int>(node.integer("axis"));
    for (int i = 0; i < axis; ++i) outer_ *= x_.shape[i];
    for (int i = axis + 1; i < x_.shape.rank(); ++i) inner_ *= x_.shape[i];
    extent_ = x_.shape[axis];
    class_ = class_of(std::span(&x_.dtype, 1));
    load_ = tape_ops(active_isa()).of(class_).load[static_cast<size_t>(x_.dtype)];
    add_stage(std::min(chunks_for(x_.size(), 16384), std::max<int64_t>(outer_ * inner_, 1)),
              20 * static_cast<double>(x_.size()));
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    if (class_ == ComputeClass::F32) return search<float>(context, chunk);
    if (class_ == ComputeClass::F64) return search<double>(context, chunk);
    search<int64_t>(context, chunk);
  }

 private:
  template <class T>
  void search(const RunContext& context, int64_t chunk) const {
    const Range range = even_share(outer_ * inner_, stages_[0].chunks, chunk);
    int32_t* y = context.data<int32_t>(y_);
    for (int64_t i = range.begin; i < range.end; ++i) {
      y[i] = search_line<T>(context, i / inner_ * extent_ * inner_ + i % inner_);
    }
  }

  template <class T>
  int32_t search_line(const RunContext& context, int64_t first) const {
    constexpr int64_t kAtOnce = 256;
    T values[kAtOnce];
    const auto item = static_cast<int64_t>(addax::size_of(x_.dtype));
    const auto* x = context.data<const std::byte>(x_) + first * item;
    T best{};
    int64_t position = 0;
    for (int64_t begin = 0; begin < extent_; begin += kAtOnce) {
      const int64_t n = std::min(kAtOnce, extent_ - begin);
      if (inner_ == 1) {
        load_(x + begin * item, values, n);
      } else {
        for (int64_t i = 0; i < n; ++i) load_(x + (begin + i) * inner_ * item, values + i, 1);
      }
      if (begin == 0) best = values[0];
      for (int64_t i = 0; i < n; ++i) {
        const bool is_nan = values[i] != values[i];
        const bool better = largest_ ? values[i] > best : values[i] < best;
        if (better || (is_nan && best == best)) {
          best = values[i];
          position = begin + i;
        }
      }
    }
    return static_cast<int32_t>(position);
  }

  Tensor x_, y_;
  bool largest_;
  int64_t outer_ = 1, extent_ = 1, inner_ = 1;
  ComputeClass class_ = ComputeClass::F32;
  ConvertFn load_ = nullptr;
};

}  // namespace

bool accepts_arg_reduce(const Node& node) { return node.output().dtype == DType::Int32; }

KernelPtr make_arg_reduce(const Node& node) { return std::make_unique<ArgReduce>(node); }

}  // namespace addax::cpu
