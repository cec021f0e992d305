#include "cpu/gemm/gemm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "kernel_testing.h"

namespace addax::cpu {
namespace {

struct Operands {
  GemmShape shape;
  int64_t a_size, b_size, c_size;
};

struct Extras {
  bool accumulate = false;
  bool bias = false;
  bool relu = false;
  bool mask = false;
  bool scale = false;
  bool residual = false;
};

int64_t extent(int64_t count, int64_t stride) { return (count - 1) * stride; }

// Elements from the first to the last one that each operand touches.
Operands measured(GemmShape shape) {
  int64_t a = extent(shape.m, shape.a_row) + extent(shape.k, shape.a_k) + 1;
  int64_t b = extent(shape.k, shape.b_k) + extent(shape.n, shape.b_col) + 1;
  int64_t c = extent(shape.m, shape.c_row) + shape.n;
  for (const GemmBatch& dim : shape.batch) {
    a += extent(dim.extent, dim.a);
    b += extent(dim.extent, dim.b);
    c += extent(dim.extent, dim.c);
  }
  return {std::move(shape), a, b, c};
}

std::string describe(const GemmShape& s) {
  return std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k) + " a(" +
         std::to_string(s.a_row) + "," + std::to_string(s.a_k) + ") b(" + std::to_string(s.b_k) +
         "," + std::to_string(s.b_col) + ") batch dims " + std::to_string(s.batch.size());
}

struct BatchOffset {
  int64_t a, b, c;
};

std::vector<BatchOffset> batch_offsets(const GemmShape& shape) {
  std::vector<BatchOffset> offsets = {{0, 0, 0}};
  for (const GemmBatch& dim : shape.batch) {
    std::vector<BatchOffset> next;
    for (const BatchOffset& o : offsets) {
      for (int64_t i = 0; i < dim.extent; ++i) {
        next.push_back({o.a + i * dim.a, o.b + i * dim.b, o.c + i * dim.c});
      }
    }
    offsets = next;
  }
  return offsets;
}

template <class T>
void check(const GemmShape& given, Isa isa, Extras extras = {}) {
  const Operands operands = measured(given);
  const GemmShape& shape = operands.shape;
  SCOPED_TRACE(describe(shape));
  const auto a = random_values<T>(operands.a_size, 1);
  const auto b = random_values<T>(operands.b_size, 2);
  const auto before = random_values<T>(operands.c_size, 3);
  const auto bias = random_values<T>(shape.n, 4);
  const auto mask = random_values<T>(operands.c_size, 5);
  const auto scale = random_values<T>(shape.n, 6);
  const auto residual = random_values<T>(operands.c_size, 7);

  GemmArgs<T> args;
  args.a = a.data();
  args.b = b.data();
  args.finish.accumulate = extras.accumulate;
  args.finish.scale = extras.scale ? scale.data() : nullptr;
  args.finish.bias = extras.bias ? bias.data() : nullptr;
  args.finish.residual = extras.residual ? residual.data() : nullptr;
  args.finish.activation = extras.relu ? Activation::Relu : Activation::None;
  args.finish.mask = extras.mask ? mask.data() : nullptr;

  const GemmPlan<T> plan(shape, isa);
  std::vector<T> c = before, again = before;
  Workspace workspace(plan.workspace_bytes());
  args.c = c.data();
  run_serially(plan, args, workspace.data());
  Workspace other(plan.workspace_bytes());
  args.c = again.data();
  run_backwards(plan, args, other.data());
  ASSERT_TRUE(same_bits(c, again));

  std::vector<bool> written(c.size());
  for (const BatchOffset& at : batch_offsets(shape)) {
    for (int64_t i = 0; i < shape.m; ++i) {
      for (int64_t j = 0; j < shape.n; ++j) {
        const std::size_t index = at.c + i * shape.c_row + j;
        double sum = 0, squares = 0;
        const auto add = [&](double term) {
          sum += term;
          squares += term * term;
        };
        for (int64_t p = 0; p < shape.k; ++p) {
          add(double(a[at.a + i * shape.a_row + p * shape.a_k]) *
              double(b[at.b + p * shape.b_k + j * shape.b_col]));
        }
        if (extras.accumulate) add(before[index]);
        if (extras.scale) {
          sum *= scale[j];
          squares *= double(scale[j]) * double(scale[j]);
        }
        if (extras.bias) add(bias[j]);
        if (extras.residual) add(residual[index]);
        if (extras.relu) sum = std::max(sum, 0.0);
        if (extras.mask && !(mask[index] > 0)) sum = 0;
        // k products, the old value, the scaling, the bias and the residual.
        ASSERT_NEAR(c[index], sum, sum_tolerance<T>(shape.k + 4, squares)) << i << ", " << j;
        written[index] = true;
      }
    }
  }
  for (std::size_t i = 0; i < c.size(); ++i) {
    if (written[i]) continue;
    ASSERT_EQ(c[i], before[i]) << "a gap between rows was written at " << i;
  }
}

class Gemm : public EveryIsa {};
INSTANTIATE_TEST_SUITE_P(Levels, Gemm, every_isa(), isa_name);

TEST_P(Gemm, EveryTileShape) {
  for (int64_t m = 1; m <= 26; ++m) {
    for (int64_t n : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 80, 130}) {
      check<float>(dense_gemm(m, n, 5), GetParam());
    }
  }
}

TEST_P(Gemm, OddSizesInEveryOrientation) {
  for (int64_t m : {1, 2, 13, 37, 97}) {
    for (int64_t n : {1, 10, 61, 67}) {
      for (int64_t k : {1, 3, 31, 127}) {
        for (bool trans_a : {false, true}) {
          for (bool trans_b : {false, true}) {
            check<float>(dense_gemm(m, n, k, trans_a, trans_b), GetParam());
          }
        }
      }
    }
  }
}

TEST_P(Gemm, Float64) {
  for (int64_t m : {1, 13, 97}) {
    for (bool trans_a : {false, true}) {
      for (bool trans_b : {false, true}) {
        check<double>(dense_gemm(m, 17, 129, trans_a, trans_b), GetParam(),
                      {.bias = true, .relu = true});
      }
    }
  }
  check<double>(dense_gemm(32, 128, 784), GetParam(), {.accumulate = true, .mask = true});
}

TEST_P(Gemm, EpiloguesInEveryCombination) {
  for (int bits = 0; bits < 64; ++bits) {
    const auto has = [&](int bit) { return (bits >> bit & 1) != 0; };
    const Extras extras = {has(0), has(1), has(2), has(3), has(4), has(5)};
    SCOPED_TRACE(bits);
    check<float>(dense_gemm(13, 75, 9), GetParam(), extras);           // one chunk
    check<float>(dense_gemm(32, 128, 784), GetParam(), extras);        // k split among owners
    check<float>(dense_gemm(40, 70, 1100, true), GetParam(), extras);  // several passes
    check<float>(dense_gemm(190, 70, 200), GetParam(), extras);        // rows among chunks
    check<double>(dense_gemm(5, 6, 7), GetParam(), extras);
  }
}

TEST_P(Gemm, LargeEnoughForEverySplit) {
  check<float>(dense_gemm(784, 128, 32, true), GetParam(), {.accumulate = true});
  check<float>(dense_gemm(131, 129, 1025), GetParam(), {.bias = true});
  check<float>(dense_gemm(401, 600, 67), GetParam(), {.relu = true});  // packs wide rows of B
  check<float>(dense_gemm(401, 257, 129, false, true), GetParam());    // packs B transposed
  check<float>(dense_gemm(65, 64, 9001, true), GetParam());            // k split, little C
  check<float>(dense_gemm(3, 1000, 2000), GetParam(), {.mask = true});
}

TEST_P(Gemm, StridesOfAnyKind) {
  GemmShape gaps = dense_gemm(19, 21, 23);
  gaps.a_row = 50;
  gaps.b_k = 33;
  gaps.c_row = 41;
  check<float>(gaps, GetParam(), {.mask = true});

  GemmShape strided = dense_gemm(19, 21, 23);
  strided.a_row = 70;
  strided.a_k = 3;
  strided.b_k = 64;
  strided.b_col = 2;
  check<float>(strided, GetParam());
  check<double>(strided, GetParam());

  GemmShape large = dense_gemm(300, 270, 1100);  // more than is gathered at a time
  large.a_row = 3300;
  large.a_k = 3;
  large.b_k = 540;
  large.b_col = 2;
  check<float>(large, GetParam());
  check<double>(large, GetParam());

  GemmShape overlapping = dense_gemm(30, 20, 16);  // a sliding window
  overlapping.a_row = 1;
  check<float>(overlapping, GetParam());
  check<double>(overlapping, GetParam());

  GemmShape broadcast = dense_gemm(11, 12, 13);
  broadcast.a_row = 0;
  broadcast.b_k = 0;
  check<float>(broadcast, GetParam());
  check<double>(broadcast, GetParam());
}

TEST_P(Gemm, Batches) {
  GemmShape one = dense_gemm(7, 9, 11);
  one.batch = {{5, 77, 99, 63}};
  check<float>(one, GetParam(), {.bias = true});
  check<double>(one, GetParam());

  GemmShape broadcast = dense_gemm(7, 9, 11, false, true);  // [3, 1] x [1, 4] matrices
  broadcast.batch = {{3, 77, 0, 4 * 63}, {4, 0, 99, 63}};
  check<float>(broadcast, GetParam(), {.accumulate = true, .mask = true});

  GemmShape shared = dense_gemm(50, 40, 30);  // becomes one product of 300 rows
  shared.batch = {{2, 4500, 0, 6000}, {3, 1500, 0, 2000}};
  check<float>(shared, GetParam());

  GemmShape many = dense_gemm(16, 16, 16);
  many.batch = {{500, 256, 256, 256}};
  check<float>(many, GetParam());

  GemmShape heavy = dense_gemm(60, 70, 600);  // chunks within each batch, k split
  heavy.batch = {{2, 36000, 42000, 4200}};
  check<float>(heavy, GetParam(), {.bias = true, .relu = true});
}

TEST_P(Gemm, EmptySums) {
  const GemmPlan<float> plan(dense_gemm(3, 4, 0), GetParam());
  std::vector<float> c(12, 5.0f), bias = {1, -2, 3, -4};
  GemmArgs<float> args;
  args.a = c.data();
  args.b = c.data();
  args.c = c.data();
  args.finish.bias = bias.data();
  args.finish.activation = Activation::Relu;
  run_serially(plan, args, nullptr);
  EXPECT_EQ(c, (std::vector<float>{1, 0, 3, 0, 1, 0, 3, 0, 1, 0, 3, 0}));

  const GemmPlan<float> nothing(dense_gemm(0, 4, 3), GetParam());
  EXPECT_EQ(nothing.stages().at(0).chunks, 0);
}

TEST_P(Gemm, NanSurvivesReluAndStopsAtTheMask) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> a = {nan}, b = {1, 1}, mask = {1, 0};
  std::vector<float> c(2);
  GemmArgs<float> args;
  args.a = a.data();
  args.b = b.data();
  args.c = c.data();
  args.finish.activation = Activation::Relu;
  args.finish.mask = mask.data();
  const GemmPlan<float> plan(dense_gemm(1, 2, 1), GetParam());
  run_serially(plan, args, nullptr);
  EXPECT_TRUE(std::isnan(c[0]));
  EXPECT_EQ(c[1], 0.0f);
}

// So that blocking may follow the caches' sizes.
TEST_P(Gemm, BlocksOfADeepSumDoNotShow) {
  if (GetParam() == Isa::Portable) GTEST_SKIP() << "BLAS sums as it likes";
  const GemmKernels<float>& kernels = gemm_kernels<float>(GetParam());
  constexpr int64_t kRows = 13, kCols = 75, kSteps = 97;
  const auto a = random_values<float>(kRows * kSteps, 1);
  const auto b = random_values<float>(kSteps * kCols, 2), bias = random_values<float>(kCols, 3);
  const auto sums = [&](const std::vector<int64_t>& cuts) {
    std::vector<float> c(kRows * kCols, std::numeric_limits<float>::quiet_NaN());
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      const Segment segment = {cuts[i], cuts[i] * kCols, cuts[i + 1] - cuts[i]};
      Block<float> block;
      block.a = a.data();
      block.a_row = kSteps;
      block.b = b.data();
      block.b_k = kCols;
      block.segments = &segment;
      block.num_segments = 1;
      block.c = c.data();
      block.c_row = kCols;
      block.rows = kRows;
      block.cols = kCols;
      block.finish.accumulate = i > 0;
      if (i + 2 == cuts.size()) block.finish.bias = bias.data();
      kernels.block(block);
    }
    return c;
  };
  const auto whole = sums({0, kSteps});
  EXPECT_TRUE(same_bits(sums({0, 1, 50, kSteps}), whole));
  EXPECT_TRUE(same_bits(sums({0, 32, 64, 96, kSteps}), whole));
}

TEST_P(Gemm, SameBitsForAnyNumberOfThreads) {
  for (const GemmShape& shape : {dense_gemm(32, 128, 784), dense_gemm(784, 128, 32, true),
                                 dense_gemm(300, 300, 300, false, true)}) {
    const Operands operands = measured(shape);
    const auto a = random_values<float>(operands.a_size, 1);
    const auto b = random_values<float>(operands.b_size, 2);
    const GemmPlan<float> plan(shape, GetParam());
    std::vector<std::vector<float>> results;
    for (int threads : {1, 2, 3}) {
      std::vector<float> c(operands.c_size);
      Workspace workspace(plan.workspace_bytes());
      GemmArgs<float> args;
      args.a = a.data();
      args.b = b.data();
      args.c = c.data();
      for (std::size_t stage = 0; stage < plan.stages().size(); ++stage) {
        std::vector<std::thread> team;
        for (int t = 0; t < threads; ++t) {
          team.emplace_back([&, t] {
            for (int64_t i = t; i < plan.stages()[stage].chunks; i += threads) {
              plan.run(args, stage, i, workspace.data());
            }
          });
        }
        for (std::thread& thread : team) thread.join();
      }
      results.push_back(c);
    }
    EXPECT_TRUE(same_bits(results[0], results[1]));
    EXPECT_TRUE(same_bits(results[0], results[2]));
  }
}

// The first dense layer of a small network: forward cuts the weight's rows (k) where its gradient
// does (m).
TEST(GemmPlanning, ForwardAndWeightGradientOwnTheSameRows) {
  const GemmPlan<float> forward(dense_gemm(32, 128, 784), detected_isa());
  const GemmPlan<float> gradient(dense_gemm(784, 128, 32, true), detected_isa());
  ASSERT_EQ(forward.stages().size(), 2u);
  EXPECT_EQ(forward.stages()[0].chunks, 8);
  EXPECT_EQ(gradient.stages()[0].chunks, 8);
  EXPECT_LT(forward.stages()[1].cost, kSerialCost);
}

TEST(GemmPlanning, TinyProductsAreOneChunk) {
  for (const GemmShape& shape : {dense_gemm(32, 10, 128), dense_gemm(128, 10, 32, true),
                                 dense_gemm(32, 128, 10, false, true)}) {
    const GemmPlan<float> plan(shape);
    ASSERT_EQ(plan.stages().size(), 1u);
    EXPECT_EQ(plan.stages()[0].chunks, 1);
    EXPECT_LT(plan.stages()[0].cost, kSerialCost);
  }
}

}  // namespace
}  // namespace addax::cpu
