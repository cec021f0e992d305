#include "cpu/conv.h"

#include "cpu/conv_shape.h"

namespace addax::cpu {
namespace {

template <class T>
typename TapContraction<T>::Problem forward_problem(const ConvShape& shape) {
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

template <class T>
typename TapContraction<T>::Problem data_problem(const ConvShape& shape) {
  auto problem = forward_problem<T>(shape);
  std::swap(problem.source, problem.target);
  std::swap(problem.weights.depth, problem.weights.col);
  problem.runs = data_runs;
  return problem;
}

}  // namespace

template <class T>
ConvForwardPlan<T>::ConvForwardPlan(const ConvShape& shape, Isa isa)
    : contraction_(forward_problem<T>(joined_rows(shape)), isa) {}

template <class T>
void ConvForwardPlan<T>::run(const ConvForwardArgs<T>& args, std::size_t stage, int64_t chunk,
                             void* workspace) const {
  const Finish<T> finish = {.bias = args.bias, .activation = args.activation, .mask = args.mask};
  contraction_.run({args.x, args.w, args.y, finish}, stage, chunk, workspace);
}

template <class T>
ConvDataPlan<T>::ConvDataPlan(const ConvShape& shape, Isa isa)
    : contraction_(data_problem<T>(joined_rows(shape)), isa) {}

template <class T>
void ConvDataPlan<T>::run(const ConvDataArgs<T>& args, std::size_t stage, int64_t chunk,
                          void* workspace) const {
  const Finish<T> finish = {.accumulate = args.accumulate, .mask = args.mask};
  contraction_.run({args.dy, args.w, args.dx, finish}, stage, chunk, workspace);
}

template class ConvForwardPlan<float>;
template class ConvForwardPlan<double>;
template class ConvDataPlan<float>;
template class ConvDataPlan<double>;

}  // namespace addax::cpu
