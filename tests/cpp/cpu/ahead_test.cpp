#include "cpu/gemm/ahead.h"

#include <vector>

#include "cpu/gemm/gemm_kernels.h"
#include "kernel_testing.h"

namespace addax::cpu {
namespace {

// The lines that `count` fetches take, as a tile takes them.
std::vector<const std::byte*> fetch(Ahead& ahead, int64_t count) {
  std::vector<const std::byte*> lines;
  Ahead::Walk walk = ahead.walk();
  for (int64_t i = 0; i < count; ++i) {
    lines.push_back(walk.line);
    walk.fetch();
  }
  ahead.went_to(walk, count);
  return lines;
}

TEST(Ahead, WalksOverRowsLineByLine) {
  std::vector<std::byte> rows(3 * 1000), other(64);
  const std::byte* const at = rows.data();
  Ahead ahead;
  EXPECT_TRUE(ahead.is_done());
  ahead.add(at, 130, 3, 1000);
  ahead.add(other.data(), 64);
  EXPECT_EQ(fetch(ahead, 4), (std::vector{at, at + 64, at + 128, at + 1000}));
  EXPECT_FALSE(ahead.is_done());
  // The last walk goes beyond the last row, and what follows begins anew.
  EXPECT_EQ(fetch(ahead, 6),
            (std::vector{at + 1064, at + 1128, at + 2000, at + 2064, at + 2128, at + 3000}));
  EXPECT_EQ(fetch(ahead, 1), (std::vector<const std::byte*>{other.data()}));
  EXPECT_TRUE(ahead.is_done());
}

TEST(Ahead, LeavesOutWhatIsEmptyOrTooMuch) {
  std::byte line[64];
  Ahead ahead;
  ahead.add(line, 0);
  EXPECT_TRUE(ahead.is_done());
  for (int i = 0; i < 20; ++i) ahead.add(line, 64);
  int64_t count = 0;
  for (; !ahead.is_done(); ++count) fetch(ahead, 1);
  EXPECT_EQ(count, 9);
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
  for (int64_t bytes : {int64_t{4}, int64_t{64}, depth * 64, int64_t{20000}}) {
    Ahead ahead;
    ahead.add(wanted.data(), bytes);
    ahead.add(wanted.data() + 7, 100, 5, 1000);
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
