#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "cpu/conv/conv_filter.h"
#include "cpu/conv/conv_filter_pairs.h"
#include "cpu/conv/conv_shape.h"
#include "cpu/conv/conv_taps.h"
#include "cpu/conv/narrow_filter.h"
#include "cpu/conv/narrow_taps.h"
#include "cpu/gemm/gemm_kernels.h"
#include "cpu/isa/isa.h"
#include "cpu/runtime/scratch.h"
#include "cpu/runtime/stages.h"

namespace addax::cpu {

// y = finish(conv(x, w)), whose rows are pixels. Weights W are of type T, or of the type of its
// sums, then rounded to T.
template <class T, class W = T>
struct ConvForwardArgs {
  const T* x = nullptr;
  const W* w = nullptr;
  T* y = nullptr;
  Finish<T> finish;
  // Moments of y, one part for each entry of the plan's `rows_of_parts`, which begin at `parts`.
  const BatchMoments<T>* moments = nullptr;
  void* parts = nullptr;
};

// dx = finish(gradient by the input), whose rows are pixels.
template <class T, class W = T>
struct ConvDataArgs {
  const T* dy = nullptr;
  const W* w = nullptr;
  T* dx = nullptr;
  Finish<T> finish;
};

// One of the ways to compute a convolution, chosen for its shape.
template <class... Methods>
class ConvMethod {
 public:
  const std::vector<Stage>& stages() const {
    return std::visit(
        [](const auto& method) -> const auto& { return method.stages(); }, method_);
  }
  std::size_t workspace_bytes() const {
    return std::visit([](const auto& method) { return method.workspace_bytes(); }, method_);
  }
  ScratchNeeds scratch() const {
    return std::visit([](const auto& method) { return method.scratch(); }, method_);
  }
  double flops() const {
    return std::visit([](const auto& method) { return method.flops(); }, method_);
  }

 protected:
  explicit ConvMethod(std::variant<Methods...> method) : method_(std::move(method)) {}

  template <class Args>
  void run_method(const Args& args, std::size_t stage, int64_t chunk, void* workspace) const {
    std::visit([&](const auto& method) { method.run(args, stage, chunk, workspace); }, method_);
  }

  // Rows of each part of the result whose moments a run makes; none: it makes no moments.
  std::vector<int64_t> rows_of_method_parts() const {
    return std::visit([](const auto& method) { return method.rows_of_parts(); }, method_);
  }

 private:
  std::variant<Methods...> method_;
};

// Narrow groups have kernels of their own. Of others, each is a contraction: as good as a whole
// convolution where a group fills vectors, while groups of 3 or 5 channels, or of unlike widths on
// both sides, leave most lanes idle. Kernels for narrow groups and those of a single dtype take
// weights of that dtype only.
template <class T, class W>
struct ConvMethods {
  using Taps = ConvMethod<TapContraction<T>, NarrowTaps<T>>;
  using Filter = ConvMethod<FilterContraction<T>, NarrowFilter<T>>;
};
template <class W>
struct ConvMethods<BFloat16, W> {
  using Taps = ConvMethod<TapContraction<BFloat16, W>>;
  using Filter = ConvMethod<PairedFilterContraction<W>>;
};

// Whether there are kernels for bfloat16 images at this level, forward or by data (`by_input`):
// channels are contracted by pairs, and narrow groups not at all. By filter there are kernels for
// every shape that has no narrow groups.
bool takes_bfloat16(const ConvShape& shape, bool by_input, Isa isa = active_isa());

// Each plan is made once for a shape and used from any number of threads: stages in order, the
// chunks of a stage in any order on any thread, one workspace for all (see Stage).
template <class T, class W = T>
class ConvForwardPlan : public ConvMethods<T, W>::Taps {
 public:
  explicit ConvForwardPlan(const ConvShape& shape, Isa isa = active_isa());
  // Pixels of each part of y whose moments a run makes; none: it makes no moments.
  std::vector<int64_t> rows_of_parts() const { return this->rows_of_method_parts(); }
  void run(const ConvForwardArgs<T, W>& args, std::size_t stage, int64_t chunk,
           void* workspace) const;
};

template <class T, class W = T>
class ConvDataPlan : public ConvMethods<T, W>::Taps {
 public:
  explicit ConvDataPlan(const ConvShape& shape, Isa isa = active_isa());
  void run(const ConvDataArgs<T, W>& args, std::size_t stage, int64_t chunk, void* workspace) const;
};

template <class T, class W = T>
class ConvFilterPlan : public ConvMethods<T, W>::Filter {
 public:
  explicit ConvFilterPlan(const ConvShape& shape, Isa isa = active_isa());
  void run(const ConvFilterArgs<T, W>& args, std::size_t stage, int64_t chunk,
           void* workspace) const;
};

extern template class ConvForwardPlan<float>;
extern template class ConvForwardPlan<double>;
extern template class ConvForwardPlan<BFloat16>;
extern template class ConvForwardPlan<BFloat16, float>;
extern template class ConvDataPlan<float>;
extern template class ConvDataPlan<double>;
extern template class ConvDataPlan<BFloat16>;
extern template class ConvDataPlan<BFloat16, float>;
extern template class ConvFilterPlan<float>;
extern template class ConvFilterPlan<double>;
extern template class ConvFilterPlan<BFloat16>;
extern template class ConvFilterPlan<BFloat16, float>;

}  // namespace addax::cpu
