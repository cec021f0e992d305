#include "cpu/conv.h"

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

template <class T>
std::variant<TapContraction<T>, DepthwiseTaps<T>> tap_method(const ConvShape& shape,
                                                             const TapProblem& problem, Isa isa) {
  if (is_depthwise(shape)) return DepthwiseTaps<T>(problem, isa);
  return TapContraction<T>(problem, isa);
}

template <class T>
std::variant<FilterContraction<T>, DepthwiseFilter<T>> filter_method(const ConvShape& shape,
                                                                     Isa isa) {
  if (is_depthwise(shape)) return DepthwiseFilter<T>(shape, isa);
  return FilterContraction<T>(shape, isa);
}

}  // namespace

template <class T>
ConvForwardPlan<T>::ConvForwardPlan(const ConvShape& shape, Isa isa)
    : TapMethod<T>(tap_method<T>(shape, forward_problem(joined_rows(shape)), isa)) {}

template <class T>
void ConvForwardPlan<T>::run(const ConvForwardArgs<T>& args, std::size_t stage, int64_t chunk,
                             void* workspace) const {
  const Finish<T> finish = {.bias = args.bias, .activation = args.activation, .mask = args.mask};
  const TapArgs<T> taps = {args.x, args.w, args.y, finish};
  this->run_method(taps, stage, chunk, workspace);
}

template <class T>
ConvDataPlan<T>::ConvDataPlan(const ConvShape& shape, Isa isa)
    : TapMethod<T>(tap_method<T>(shape, data_problem(joined_rows(shape)), isa)) {}

template <class T>
void ConvDataPlan<T>::run(const ConvDataArgs<T>& args, std::size_t stage, int64_t chunk,
                          void* workspace) const {
  const Finish<T> finish = {.accumulate = args.accumulate, .mask = args.mask};
  const TapArgs<T> taps = {args.dy, args.w, args.dx, finish};
  this->run_method(taps, stage, chunk, workspace);
}

template <class T>
ConvFilterPlan<T>::ConvFilterPlan(const ConvShape& shape, Isa isa)
    : FilterMethod<T>(filter_method<T>(shape, isa)) {}

template <class T>
void ConvFilterPlan<T>::run(const ConvFilterArgs<T>& args, std::size_t stage, int64_t chunk,
                            void* workspace) const {
  this->run_method(args, stage, chunk, workspace);
}

template class ConvForwardPlan<float>;
template class ConvForwardPlan<double>;
template class ConvDataPlan<float>;
template class ConvDataPlan<double>;
template class ConvFilterPlan<float>;
template class ConvFilterPlan<double>;

}  // namespace addax::cpu
