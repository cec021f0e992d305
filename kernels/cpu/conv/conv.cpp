#include "cpu/conv/conv.h"

namespace addax::cpu {
namespace {

TapProblem forward_problem(const ConvShape& shape) {
  const int64_t depth = shape.in_channels / shape.groups;
  const int64_t cols = shape.out_channels / shape.groups;
  return {.batch = shape.batch,
          .groups = shape.groups,
          .source = {shape.height.in, shape.width.in, shape.in_channels},
          .target = {shape.height.out(), shape.width.out(), shape.out_channels},
          .weights = {.tap = depth * shape.out_channels,
                      .group = cols,
                      .depth = shape.out_channels,
                      .col = 1},
          .height = shape.height,
          .width = shape.width,
          .runs = forward_runs};
}

TapProblem data_problem(const ConvShape& shape) {
  auto problem = forward_problem(shape);
  std::swap(problem.source, problem.target);
  std::swap(problem.weights.depth, problem.weights.col);
  problem.runs = data_runs;
  return problem;
}

template <class T, class W>
auto tap_method(const ConvShape& shape, const TapProblem& problem, Isa isa) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return std::variant<TapContraction<T, W>>(TapContraction<T, W>(problem, isa));
  } else {
    using Method = std::variant<TapContraction<T>, NarrowTaps<T>>;
    return has_narrow_groups<T>(shape, isa) ? Method(NarrowTaps<T>(problem, isa))
                                            : Method(TapContraction<T>(problem, isa));
  }
}

template <class T, class W>
auto filter_method(const ConvShape& shape, Isa isa) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return std::variant<PairedFilterContraction<W>>(PairedFilterContraction<W>(shape, isa));
  } else {
    using Method = std::variant<FilterContraction<T>, NarrowFilter<T>>;
    return has_narrow_groups<T>(shape, isa) ? Method(NarrowFilter<T>(shape, isa))
                                            : Method(FilterContraction<T>(shape, isa));
  }
}

}  // namespace

bool takes_bfloat16(const ConvShape& shape, bool by_input, Isa isa) {
  const auto problem = by_input ? data_problem(shape) : forward_problem(shape);
  return has_bfloat16_kernels(isa) && !has_narrow_groups<float>(shape, isa) &&
         TapContraction<BFloat16>::takes(problem);
}

template <class T, class W>
ConvForwardPlan<T, W>::ConvForwardPlan(const ConvShape& shape, Isa isa)
    : ConvMethods<T, W>::Taps(tap_method<T, W>(shape, forward_problem(joined_images(shape)), isa)) {
}

template <class T, class W>
void ConvForwardPlan<T, W>::run(const ConvForwardArgs<T, W>& args, std::size_t stage, int64_t chunk,
                                void* workspace) const {
  const TapArgs<T, W> taps = {args.x, args.w, args.y, args.finish, args.moments, args.parts};
  this->run_method(taps, stage, chunk, workspace);
}

template <class T, class W>
ConvDataPlan<T, W>::ConvDataPlan(const ConvShape& shape, Isa isa)
    : ConvMethods<T, W>::Taps(tap_method<T, W>(shape, data_problem(joined_images(shape)), isa)) {}

template <class T, class W>
void ConvDataPlan<T, W>::run(const ConvDataArgs<T, W>& args, std::size_t stage, int64_t chunk,
                             void* workspace) const {
  const TapArgs<T, W> taps = {args.dy, args.w, args.dx, args.finish, nullptr, nullptr};
  this->run_method(taps, stage, chunk, workspace);
}

template <class T, class W>
ConvFilterPlan<T, W>::ConvFilterPlan(const ConvShape& shape, Isa isa)
    : ConvMethods<T, W>::Filter(filter_method<T, W>(shape, isa)) {}

template <class T, class W>
void ConvFilterPlan<T, W>::run(const ConvFilterArgs<T, W>& args, std::size_t stage, int64_t chunk,
                               void* workspace) const {
  this->run_method(args, stage, chunk, workspace);
}

template class ConvForwardPlan<float>;
template class ConvForwardPlan<double>;
template class ConvForwardPlan<BFloat16>;
template class ConvForwardPlan<BFloat16, float>;
template class ConvDataPlan<float>;
template class ConvDataPlan<double>;
template class ConvDataPlan<BFloat16>;
template class ConvDataPlan<BFloat16, float>;
template class ConvFilterPlan<float>;
template class ConvFilterPlan<double>;
template class ConvFilterPlan<BFloat16>;
template class ConvFilterPlan<BFloat16, float>;

}  // namespace addax::cpu
