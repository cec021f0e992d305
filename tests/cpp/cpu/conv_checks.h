// Checks of convolution plans against the definition, in all three directions.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "cpu/conv/conv.h"
#include "kernel_testing.h"

namespace addax::cpu {

struct Sizes {
  int64_t x, w, y;
};

inline Sizes sizes(const ConvShape& s) {
  return {s.batch * s.height.in * s.width.in * s.in_channels,
          s.height.kernel * s.width.kernel * (s.in_channels / s.groups) * s.out_channels,
          s.batch * s.height.out() * s.width.out() * s.out_channels};
}

inline std::string describe(const ConvShape& s) {
  const auto axis = [](const ConvAxis& a) {
    return std::to_string(a.in) + " kernel " + std::to_string(a.kernel) + " stride " +
           std::to_string(a.stride) + " dilation " + std::to_string(a.dilation) + " pads " +
           std::to_string(a.pad_before) + "," + std::to_string(a.pad_after);
  };
  return "batch " + std::to_string(s.batch) + " height " + axis(s.height) + " width " +
         axis(s.width) + " channels " + std::to_string(s.in_channels) + "->" +
         std::to_string(s.out_channels) + " groups " + std::to_string(s.groups);
}

// Calls term(x index, w index, y index) for every product of the definition.
template <class Term>
void for_each_product(const ConvShape& s, const Term& term) {
  const int64_t depth = s.in_channels / s.groups, cols = s.out_channels / s.groups;
  for (int64_t n = 0; n < s.batch; ++n) {
    for (int64_t oy = 0; oy < s.height.out(); ++oy) {
      for (int64_t ox = 0; ox < s.width.out(); ++ox) {
        for (int64_t ky = 0; ky < s.height.kernel; ++ky) {
          const int64_t iy = oy * s.height.stride + ky * s.height.dilation - s.height.pad_before;
          if (iy < 0 || iy >= s.height.in) continue;
          for (int64_t kx = 0; kx < s.width.kernel; ++kx) {
            const int64_t ix = ox * s.width.stride + kx * s.width.dilation - s.width.pad_before;
            if (ix < 0 || ix >= s.width.in) continue;
            for (int64_t c = 0; c < depth; ++c) {
              for (int64_t o = 0; o < s.out_channels; ++o) {
                const int64_t channel = o / cols * depth + c;
                term(((n * s.height.in + iy) * s.width.in + ix) * s.in_channels + channel,
                     ((ky * s.width.kernel + kx) * depth + c) * s.out_channels + o,
                     ((n * s.height.out() + oy) * s.width.out() + ox) * s.out_channels + o);
              }
            }
          }
        }
      }
    }
  }
}

// An exact sum with what its tolerance needs.
struct Sums {
  explicit Sums(int64_t count) : value(count), squares(count), terms(count) {}
  void add(int64_t i, double term) {
    value[i] += term;
    squares[i] += term * term;
    ++terms[i];
  }
  void scale(int64_t i, double factor) {
    value[i] *= factor;
    squares[i] *= factor * factor;
    ++terms[i];
  }
  std::vector<double> value, squares;
  std::vector<int64_t> terms;
};

template <class T>
void expect_sums(const std::vector<T>& got, const Sums& sums) {
  ASSERT_EQ(got.size(), sums.value.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(number(got[i]), sums.value[i],
                rounded_sum_tolerance<T>(sums.terms[i], sums.squares[i], sums.value[i]))
        << "at element " << i;
  }
}

// Runs a plan with its chunks in both orders; the results must have the same bits.
template <class Plan, class Args, class T>
std::vector<T> run_both_ways(const Plan& plan, Args args, T* Args::*target,
                             const std::vector<T>& before) {
  std::vector<T> first = before, second = before;
  Workspace one(plan.workspace_bytes()), two(plan.workspace_bytes());
  args.*target = first.data();
  run_serially(plan, args, one.data());
  args.*target = second.data();
  run_backwards(plan, args, two.data());
  EXPECT_TRUE(same_bits(first, second));
  return first;
}

// The moments that a plan's chunks make of y are those of y, of the same bits in either order of
// the chunks; y stays as it is without them.
template <class T, class W>
void check_moments(const ConvForwardPlan<T, W>& plan, ConvForwardArgs<T, W> args,
                   const std::vector<T>& y, int64_t channels, Isa isa) {
  const std::vector<int64_t> rows = plan.rows_of_parts();
  if (rows.empty()) return;
  EXPECT_EQ(std::accumulate(rows.begin(), rows.end(), int64_t{0}) * channels,
            static_cast<int64_t>(y.size()));
  using S = Sum<T>;
  const BatchMoments<T> moments(rows, channels, isa);
  Workspace one(moments.workspace_bytes()), two(moments.workspace_bytes()),
      room(plan.workspace_bytes());
  std::vector<T> again(y.size());
  std::vector<S> results[2];
  for (Workspace* parts : {&one, &two}) {
    args.y = again.data();
    args.moments = &moments;
    args.parts = parts->data();
    if (parts == &one) {
      run_serially(plan, args, room.data());
    } else {
      run_backwards(plan, args, room.data());
    }
    EXPECT_TRUE(same_bits(y, again));
    std::vector<S>& result = results[parts == &two];
    result.resize(2 * channels);
    for (int64_t chunk = 0; chunk < moments.stage().chunks; ++chunk) {
      moments.finish(parts->data(), chunk, result.data(), result.data() + channels);
    }
  }
  EXPECT_TRUE(same_bits(results[0], results[1]));
  const int64_t pixels = static_cast<int64_t>(y.size()) / channels;
  for (int64_t channel = 0; channel < channels; ++channel) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < pixels; ++i) mean += number(y[i * channels + channel]);
    mean /= static_cast<double>(pixels);
    for (int64_t i = 0; i < pixels; ++i) {
      variance += std::pow(number(y[i * channels + channel]) - mean, 2);
    }
    variance /= static_cast<double>(pixels);
    // As in the tests of moments alone; a part's first 32 pixels may be unlike its others.
    const double unit = std::numeric_limits<S>::epsilon();
    const int64_t unlike = 1 + *std::max_element(rows.begin(), rows.end()) / 32;
    const auto roundings = static_cast<double>((32 + pixels / 32 + 3 * std::ssize(rows)) * unlike);
    ASSERT_NEAR(results[0][channel], mean,
                unit * (std::abs(mean) + roundings * std::sqrt(variance)));
    ASSERT_NEAR(results[0][channels + channel], variance, roundings * unit * variance);
  }
}

// Weights are of type W, which bfloat16 kernels round to T.
template <class T, class W>
void check_forward(const ConvShape& shape, Isa isa, bool epilogue) {
  const Sizes size = sizes(shape);
  const auto x = random_values<T>(size.x, 1);
  const auto w = random_values<W>(size.w, 2);
  const auto bias = random_values<T>(shape.out_channels, 3), mask = random_values<T>(size.y, 4);
  const auto scale = random_values<T>(shape.out_channels, 5),
             residual = random_values<T>(size.y, 6);
  ConvForwardArgs<T, W> args;
  args.x = x.data();
  args.w = w.data();
  if (epilogue) {
    args.finish.scale = scale.data();
    args.finish.bias = bias.data();
    args.finish.residual = residual.data();
    args.finish.activation = Activation::Relu;
    args.finish.mask = mask.data();
  }
  const ConvForwardPlan<T, W> plan(shape, isa);
  const auto y =
      run_both_ways(plan, args, &ConvForwardArgs<T, W>::y, std::vector<T>(size.y, rounded<T>(99)));

  Sums sums(size.y);
  int64_t products = 0;
  for_each_product(shape, [&](int64_t xi, int64_t wi, int64_t yi) {
    sums.add(yi, number(x[xi]) * number(rounded<T>(number(w[wi]))));
    ++products;
  });
  EXPECT_EQ(plan.flops(), 2.0 * products);
  if (epilogue) {
    for (int64_t i = 0; i < size.y; ++i) {
      sums.scale(i, number(scale[i % shape.out_channels]));
      sums.add(i, number(bias[i % shape.out_channels]));
      sums.add(i, number(residual[i]));
      sums.value[i] = number(mask[i]) > 0 ? std::max(sums.value[i], 0.0) : 0.0;
    }
  }
  expect_sums(y, sums);
  check_moments(plan, args, y, shape.out_channels, isa);
}

template <class T, class W>
void check_data(const ConvShape& shape, Isa isa, bool epilogue) {
  const Sizes size = sizes(shape);
  const auto dy = random_values<T>(size.y, 1);
  const auto w = random_values<W>(size.w, 2);
  const auto before = random_values<T>(size.x, 3), mask = random_values<T>(size.x, 4);
  const auto residual = random_values<T>(size.x, 5);
  ConvDataArgs<T, W> args;
  args.dy = dy.data();
  args.w = w.data();
  args.finish.accumulate = epilogue;
  args.finish.residual = epilogue ? residual.data() : nullptr;
  args.finish.mask = epilogue ? mask.data() : nullptr;
  const ConvDataPlan<T, W> plan(shape, isa);
  const auto dx = run_both_ways(plan, args, &ConvDataArgs<T, W>::dx, before);

  Sums sums(size.x);
  for_each_product(shape, [&](int64_t xi, int64_t wi, int64_t yi) {
    sums.add(xi, number(dy[yi]) * number(rounded<T>(number(w[wi]))));
  });
  if (epilogue) {
    for (int64_t i = 0; i < size.x; ++i) {
      sums.add(i, number(before[i]));
      sums.add(i, number(residual[i]));
      if (!(number(mask[i]) > 0)) sums.value[i] = 0;
    }
  }
  expect_sums(dx, sums);
}

template <class T, class W, class Plan>
void check_filter_plan(const Plan& plan, const ConvShape& shape, bool accumulate) {
  const Sizes size = sizes(shape);
  const auto x = random_values<T>(size.x, 1), dy = random_values<T>(size.y, 2);
  const auto before = random_values<W>(size.w, 3);
  ConvFilterArgs<T, W> args;
  args.x = x.data();
  args.dy = dy.data();
  args.accumulate = accumulate;
  const auto dw = run_both_ways(plan, args, &ConvFilterArgs<T, W>::dw, before);

  Sums sums(size.w);
  int64_t products = 0;
  for_each_product(shape, [&](int64_t xi, int64_t wi, int64_t yi) {
    sums.add(wi, number(x[xi]) * number(dy[yi]));
    ++products;
  });
  EXPECT_EQ(plan.flops(), 2.0 * products);
  for (int64_t i = 0; accumulate && i < size.w; ++i) sums.add(i, number(before[i]));
  // Partial sums add up to 16 roundings.
  for (int64_t& terms : sums.terms) terms += 16;
  expect_sums(dw, sums);
}

template <class T, class W>
void check_filter(const ConvShape& shape, Isa isa, bool accumulate) {
  check_filter_plan<T, W>(ConvFilterPlan<T, W>(shape, isa), shape, accumulate);
}

template <class T>
void check(const ConvShape& shape, Isa isa) {
  SCOPED_TRACE(describe(shape));
  for (bool extras : {false, true}) {
    check_forward<T, T>(shape, isa, extras);
    check_data<T, T>(shape, isa, extras);
    check_filter<T, T>(shape, isa, extras);
  }
}

// As many directions as there are bfloat16 kernels for, with weights W.
template <class W>
void check_bfloat16(const ConvShape& shape, Isa isa) {
  SCOPED_TRACE("bfloat16 " + describe(shape));
  for (bool extras : {false, true}) {
    if (takes_bfloat16(shape, false, isa)) check_forward<BFloat16, W>(shape, isa, extras);
    if (takes_bfloat16(shape, true, isa)) check_data<BFloat16, W>(shape, isa, extras);
    check_filter<BFloat16, W>(shape, isa, extras);
  }
}

inline ConvAxis valid(int64_t in, int64_t kernel, int64_t stride = 1, int64_t dilation = 1) {
  return {.in = in, .kernel = kernel, .stride = stride, .dilation = dilation};
}

// Pads as 'same' does: the output has ceil(in / stride) positions, the odd pad comes last.
inline ConvAxis same(int64_t in, int64_t kernel, int64_t stride = 1, int64_t dilation = 1) {
  const int64_t out = (in + stride - 1) / stride;
  const int64_t pads = std::max<int64_t>(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - in);
  ConvAxis axis = valid(in, kernel, stride, dilation);
  axis.pad_before = pads / 2;
  axis.pad_after = pads - pads / 2;
  return axis;
}

}  // namespace addax::cpu
