#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "cpu/conv_filter.h"
#include "cpu/conv_shape.h"
#include "cpu/conv_taps.h"
#include "cpu/depthwise.h"
#include "cpu/depthwise_filter.h"
#include "cpu/gemm_kernels.h"
#include "cpu/isa.h"
#include "cpu/stages.h"

namespace addax::cpu {

// y = finish(conv(x, w)); bias has out_channels elements, mask lies as y does.
template <class T>
struct ConvForwardArgs {
  const T* x = nullptr;
  const T* w = nullptr;
  T* y = nullptr;
  const T* bias = nullptr;
  Activation activation = Activation::None;
  const T* mask = nullptr;
};

// dx = gradient by the input, added to dx when `accumulate`, then zero where `mask`, which lies as
// x does, is not greater than zero.
template <class T>
struct ConvDataArgs {
  const T* dy = nullptr;
  const T* w = nullptr;
  T* dx = nullptr;
  bool accumulate = false;
  const T* mask = nullptr;
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
  double flops() const {
    return std::visit([](const auto& method) { return method.flops(); }, method_);
  }

 protected:
  explicit ConvMethod(std::variant<Methods...> method) : method_(std::move(method)) {}

  template <class Args>
  void run_method(const Args& args, std::size_t stage, int64_t chunk, void* workspace) const {
    std::visit([&](const auto& method) { method.run(args, stage, chunk, workspace); }, method_);
  }

 private:
  std::variant<Methods...> method_;
};

template <class T>
using TapMethod = ConvMethod<TapContraction<T>, DepthwiseTaps<T>>;
template <class T>
using FilterMethod = ConvMethod<FilterContraction<T>, DepthwiseFilter<T>>;

// Each plan is made once for a shape and used from any number of threads: stages in order, the
// chunks of a stage in any order on any thread, one workspace for all (see Stage).
template <class T>
class ConvForwardPlan : public TapMethod<T> {
 public:
  explicit ConvForwardPlan(const ConvShape& shape, Isa isa = active_isa());
  void run(const ConvForwardArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;
};

template <class T>
class ConvDataPlan : public TapMethod<T> {
 public:
  explicit ConvDataPlan(const ConvShape& shape, Isa isa = active_isa());
  void run(const ConvDataArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;
};

template <class T>
class ConvFilterPlan : public FilterMethod<T> {
 public:
  explicit ConvFilterPlan(const ConvShape& shape, Isa isa = active_isa());
  void run(const ConvFilterArgs<T>& args, std::size_t stage, int64_t chunk, void* workspace) const;
};

extern template class ConvForwardPlan<float>;
extern template class ConvForwardPlan<double>;
extern template class ConvDataPlan<float>;
extern template class ConvDataPlan<double>;
extern template class ConvFilterPlan<float>;
extern template class ConvFilterPlan<double>;

}  // namespace addax::cpu
