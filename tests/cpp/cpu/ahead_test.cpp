#include "cpu/gemm/ahead.h"

#include <vector>

#include "cpu/gemm/gemm_kernels.h"
#include "kernel_testing.h"

namespace addax::cpu {
namespace {

TEST(Ahead, WalksEveryStretchLineByLine) {
  std::vector<std::byte> first(200), second(64);
  Ahead ahead;
  EXPECT_EQ(ahead.next(), nullptr);
  ahead.add(first.data(), 200);
  ahead.add(second.data(), 64);
  EXPECT_EQ(ahead.next(), first.data());
  ahead.fetched(first.data() + 128);
  EXPECT_EQ(ahead.next(), first.data() + 128);
  // Beyond the end of a stretch lies nothing that is left of it.
  ahead.fetched(first.data() + 320);
  EXPECT_EQ(ahead.next(), second.data());
  ahead.fetched(second.data() + 64);
  EXPECT_EQ(ahead.next(), nullptr);
}

TEST(Ahead, KeepsToTheFirstStretches) {
  std::byte line[64];
  Ahead ahead;
  for (int i = 0; i < 9; ++i) ahead.add(line, 64);
  int stretches = 0;
  for (; ahead.next() != nullptr; ++stretches) ahead.fetched(line + 64);
  EXPECT_EQ(stretches, 4);
}

class AheadOfBlocks : public EveryIsa {};
INSTANTIATE_TEST_SUITE_P(Levels, AheadOfBlocks, every_isa(), isa_name);

// What is fetched beside a block changes no bit of it, wherever that ends: within a tile, between
// two, or after the block.
template <class T>
void check_block(int64_t rows, int64_t cols, int64_t depth, Isa isa) {
  const GemmKernels<T>& kernels = gemm_kernels<T>(isa);
  const int64_t width = kernels.packed_width(cols);
  const auto values = random_values<T>((rows * depth + depth * width) * kFactorDepth<T>, 3);
  const auto* factors = reinterpret_cast<const Factor<T>*>(values.data());
  const Segment segment = {0, 0, depth};
  const std::vector<float> wanted(5000);
  const auto run = [&](Ahead* ahead) {
    std::vector<Sum<T>> c(static_cast<size_t>(rows * cols));
    Block<T, Sum<T>> block;
    block.a = factors;
    block.a_row = depth;
    block.b = factors + rows * depth;
    block.b_k = width;
    block.segments = &segment;
    block.num_segments = 1;
    block.c = c.data();
    block.c_row = cols;
    block.rows = rows;
    block.cols = cols;
    block.ahead = ahead;
    kernels.block_wide(block);
    return c;
  };
  const auto expected = run(nullptr);
  for (int64_t bytes : {int64_t{4}, int64_t{64}, depth * Ahead::kLine, int64_t{20000}}) {
    Ahead ahead;
    ahead.add(wanted.data(), bytes);
    ahead.add(wanted.data() + 7, 100);
    EXPECT_TRUE(same_bits(expected, run(&ahead)))
        << rows << "x" << cols << "x" << depth << ", " << bytes << " bytes";
  }
}

TEST_P(AheadOfBlocks, SameBits) {
  for (int64_t rows : {1, 5, 6, 7, 25, 96}) {
    for (int64_t cols : {1, 15, 16, 17, 48, 64, 65, 130}) {
      for (int64_t depth : {1, 3, 64}) {
        check_block<float>(rows, cols, depth, GetParam());
        if (has_bfloat16_kernels(GetParam())) check_block<BFloat16>(rows, cols, depth, GetParam());
      }
    }
  }
}

}  // namespace
}  // namespace addax::cpu
