#include <memory>

#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/tape.h"

namespace addax::cpu {
namespace {

// Counts along one axis: [outer, extent, inner].
class Iota : public Kernel {
 public:
  Iota(const Tensor& y, int axis) : y_(y), extent_(y.shape[axis]) {
    for (int i = axis + 1; i < y.shape.rank(); ++i) inner_ *= y.shape[i];
    const DType dtype = y.dtype;
    compute_ = class_of(std::span(&dtype, 1));
    store_ = tape_ops(active_isa()).of(compute_).store[static_cast<size_t>(dtype)];
    add_stage(chunks_for(y.size(), 16384), 8 * static_cast<double>(y.size()));
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    if (compute_ == ComputeClass::F32) return fill<float>(context, chunk);
    if (compute_ == ComputeClass::F64) return fill<double>(context, chunk);
    fill<int64_t>(context, chunk);
  }

 private:
  template <class T>
  void fill(const RunContext& context, int64_t chunk) const {
    constexpr int64_t kAtOnce = 256;
    T values[kAtOnce];
    const auto item = static_cast<int64_t>(addax::size_of(y_.dtype));
    const Range range = even_share(y_.size(), stages_[0].chunks, chunk);
    for (int64_t begin = range.begin; begin < range.end; begin += kAtOnce) {
      const int64_t n = std::min(kAtOnce, range.end - begin);
      for (int64_t i = 0; i < n; ++i) values[i] = static_cast<T>((begin + i) / inner_ % extent_);
      store_(values, context.data<std::byte>(y_) + begin * item, n);
    }
  }

  Tensor y_;
  int64_t extent_;
  int64_t inner_ = 1;
  ComputeClass compute_ = ComputeClass::I64;
  ConvertFn store_ = nullptr;
};

}  // namespace

bool accepts_iota(const Node& node) { return node.output().shape.rank() > 0; }

KernelPtr make_iota(const Node& node) {
  return std::make_unique<Iota>(node.output(), static_cast<int>(node.integer("axis", 0)));
}

}  // namespace addax::cpu
