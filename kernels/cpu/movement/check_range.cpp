#include <algorithm>
#include <memory>

#include "cpu/lowering/kernels.h"
#include "cpu/map_reduce/tape.h"

namespace addax::cpu {
namespace {

// y = x; reports the first element outside [low, high).
class CheckRange : public Kernel {
 public:
  explicit CheckRange(const Node& node)
      : x_(node.input(0)),
        y_(node.output()),
        low_(node.integer("low")),
        high_(node.integer("high")),
        load_(tape_ops(active_isa()).i64.load[static_cast<size_t>(x_.dtype)]),
        store_(tape_ops(active_isa()).i64.store[static_cast<size_t>(x_.dtype)]) {
    add_stage(chunks_for(x_.size(), 16384), bytes_cost(2 * x_.bytes()));
  }

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    constexpr int64_t kAtOnce = 256;
    int64_t values[kAtOnce];
    const auto item = static_cast<int64_t>(addax::size_of(x_.dtype));
    const Range range = even_share(x_.size(), stages_[0].chunks, chunk);
    for (int64_t begin = range.begin; begin < range.end; begin += kAtOnce) {
      const int64_t n = std::min(kAtOnce, range.end - begin);
      load_(context.data<const std::byte>(x_) + begin * item, values, n);
      for (int64_t i = 0; i < n; ++i) {
        if (values[i] < low_ || values[i] >= high_) {
          context.failure->report(begin + i, static_cast<double>(values[i]));
        }
      }
      store_(values, context.data<std::byte>(y_) + begin * item, n);
    }
  }

 private:
  Tensor x_, y_;
  int64_t low_, high_;
  ConvertFn load_, store_;
};

}  // namespace

bool accepts_check_range(const Node& node) { return is_integer(node.input(0).dtype); }

KernelPtr make_check_range(const Node& node) { return std::make_unique<CheckRange>(node); }

}  // namespace addax::cpu
