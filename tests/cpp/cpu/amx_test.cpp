#include <vector>

#include "cpu/gemm/gemm_amx.inl"
#include "kernel_testing.h"

namespace addax::cpu {
namespace {

// Tile registers in plain C++, after the instructions' definition: shapes that do not fit each
// other, or use of a register without a shape, fail the test.
struct EmulatedTiles {
  static inline amx::TileConfig config{1, 1};
  static inline float sums[4][16][16];

  static void configure(const amx::TileConfig& next) { config = next; }
  static void release() { std::fill_n(config.rows, 16, uint8_t{0}); }

  template <int kRows, int kCols>
  static void zero() {
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kCols; ++j) std::memset(sums[2 * i + j], 0, sizeof(sums[0]));
    }
  }

  template <int kRows, int kCols>
  static void add(const amx::Step& step) {
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kCols; ++j) multiply(step, i, j);
    }
  }

  template <int kRows, int kCols>
  static void store(float* to) {
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kCols; ++j) {
        const int tile = 2 * i + j;
        for (int row = 0; row < config.rows[tile]; ++row) {
          std::memcpy(to + (i * 16 + row) * 32 + j * 16, sums[tile][row], config.row_bytes[tile]);
        }
      }
    }
  }

 private:
  static void multiply(const amx::Step& step, int i, int j) {
    const int rows = amx::kFirstRows + i, cols = amx::kFirstCols + j, tile = 2 * i + j;
    ASSERT_GT(config.rows[rows], 0);
    ASSERT_EQ(config.rows[tile], config.rows[rows]);
    ASSERT_EQ(config.row_bytes[tile], config.row_bytes[cols]);
    ASSERT_EQ(config.row_bytes[rows], 4 * config.rows[cols]);
    for (int row = 0; row < config.rows[rows]; ++row) {
      for (int k = 0; k < config.rows[cols]; ++k) {
        const BFloat16Pair a = step.a[(i * 16 + row) * step.a_row + k];
        for (int col = 0; col < config.row_bytes[cols] / 4; ++col) {
          const BFloat16Pair b = step.b[k * step.b_row + j * 16 + col];
          sums[tile][row][col] += static_cast<float>(number(a.first) * number(b.first) +
                                                     number(a.second) * number(b.second));
        }
      }
    }
  }
};

void finish_plainly(const float* parts, int64_t, int64_t, int64_t part_row, float* c, int64_t c_row,
                    int64_t rows, int64_t cols, const Finish<float>& finish) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      float& x = c[i * c_row + j];
      x = parts[i * part_row + j] + (finish.accumulate ? x : 0.0f);
      if (finish.bias != nullptr) x += finish.bias[j];
      if (finish.mask != nullptr && !(finish.mask[i * c_row + j] > 0)) x = 0;
    }
  }
}

void never(const Block<BFloat16, float>&) { FAIL() << "these factors follow each other"; }

std::vector<BFloat16Pair> random_pairs(int64_t count, uint32_t seed) {
  const auto values = random_values<BFloat16>(2 * count, seed);
  std::vector<BFloat16Pair> pairs;
  for (int64_t i = 0; i < count; ++i) pairs.push_back({values[2 * i], values[2 * i + 1]});
  return pairs;
}

// Operands end with their last factor, so that the sanitizers see a read beyond.
void check_block(int64_t rows, int64_t cols, const std::vector<int64_t>& depths) {
  SCOPED_TRACE(std::to_string(rows) + "x" + std::to_string(cols));
  int64_t depth = 0;
  std::vector<Segment> segments;
  for (int64_t k : depths) {
    segments.push_back({depth, depth * cols, k});
    depth += k;
  }
  const auto a = random_pairs(rows * depth, 1), b = random_pairs(depth * cols, 2);
  const auto bias = random_values<float>(cols, 3), mask = random_values<float>(rows * cols, 4);
  const auto before = random_values<float>(rows * cols, 5);
  std::vector<float> c = before;
  Block<BFloat16, float> block;
  block.a = a.data();
  block.a_row = depth;
  block.b = b.data();
  block.b_k = cols;
  block.segments = segments.data();
  block.num_segments = static_cast<int64_t>(segments.size());
  block.c = c.data();
  block.c_row = cols;
  block.rows = rows;
  block.cols = cols;
  block.finish = {.accumulate = true, .bias = bias.data(), .mask = mask.data()};
  amx::block<EmulatedTiles>(block, never, finish_plainly);

  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      double sum = before[i * cols + j] + double{bias[j]}, squares = 2;
      for (int64_t k = 0; k < depth; ++k) {
        const BFloat16Pair x = a[i * depth + k], y = b[k * cols + j];
        const double terms[] = {number(x.first) * number(y.first),
                                number(x.second) * number(y.second)};
        for (double term : terms) {
          sum += term;
          squares += term * term;
        }
      }
      const double expected = mask[i * cols + j] > 0 ? sum : 0;
      ASSERT_NEAR(c[i * cols + j], expected, sum_tolerance<float>(2 * depth + 2, squares))
          << "at " << i << ", " << j;
    }
  }
}

TEST(AmxBlock, RowsAndColumnsOnEitherSideOfATile) {
  for (int64_t rows : {1, 15, 16, 17, 31, 32, 33, 97}) {
    for (int64_t cols : {1, 15, 16, 17, 31, 32, 33, 64}) check_block(rows, cols, {16});
  }
}

TEST(AmxBlock, DepthsOnEitherSideOfAStep) {
  for (int64_t depth : {1, 15, 16, 17, 31, 32, 33}) {
    check_block(7, 19, {depth});
    check_block(33, 40, {depth, 16, depth});
  }
  check_block(3, 3, {});
}

TEST(AmxBlock, LeavesScatteredFactorsToVectors) {
  static bool called;
  called = false;
  Block<BFloat16, float> block;
  block.a_k = 2;
  amx::block<EmulatedTiles, float>(
      block, [](const Block<BFloat16, float>&) { called = true; }, finish_plainly);
  EXPECT_TRUE(called);
}

}  // namespace
}  // namespace addax::cpu
