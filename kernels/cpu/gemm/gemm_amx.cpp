// Contraction blocks in AMX: 32x32 sums of bfloat16 pairs in four tile registers.
#include "cpu/gemm/gemm_amx.inl"

#include <immintrin.h>

namespace addax::cpu {
namespace {

// The intrinsics take literal register numbers only; see amx.h for who is who. GCC 12's do not tell
// the compiler which memory they read; the empty statements do.
struct Tiles {
  static void configure(const amx::TileConfig& config) {
    __asm__ volatile("" ::"r"(&config) : "memory");
    _tile_loadconfig(&config);
  }
  static void release() { _tile_release(); }

  template <int kRows, int kCols>
  static void zero() {
    _tile_zero(0);
    if constexpr (kCols > 1) _tile_zero(1);
    if constexpr (kRows > 1) _tile_zero(2);
    if constexpr (kRows > 1 && kCols > 1) _tile_zero(3);
  }

  template <int kRows, int kCols>
  static void add(const amx::Step& step) {
    const int64_t a_row = step.a_row * int64_t{sizeof(BFloat16Pair)};
    const int64_t b_row = step.b_row * int64_t{sizeof(BFloat16Pair)};
    __asm__ volatile("" ::"r"(step.a), "r"(step.b) : "memory");
    _tile_loadd(4, step.a, a_row);
    _tile_loadd(6, step.b, b_row);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (kCols > 1) {
      _tile_loadd(7, step.b + amx::kTile, b_row);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (kRows > 1) {
      _tile_loadd(5, step.a + amx::kTile * step.a_row, a_row);
      _tile_dpbf16ps(2, 5, 6);
    }
    if constexpr (kRows > 1 && kCols > 1) _tile_dpbf16ps(3, 5, 7);
  }

  template <int kRows, int kCols>
  static void store(float* sums) {
    constexpr int64_t kRow = amx::kSide * int64_t{sizeof(float)};
    float* lower = sums + amx::kTile * amx::kSide;
    _tile_stored(0, sums, kRow);
    if constexpr (kCols > 1) _tile_stored(1, sums + amx::kTile, kRow);
    if constexpr (kRows > 1) _tile_stored(2, lower, kRow);
    if constexpr (kRows > 1 && kCols > 1) _tile_stored(3, lower + amx::kTile, kRow);
  }
};

void block(const Block<BFloat16>& block) {
  amx::block<Tiles>(block, kGemmAvx512Bf16.block, kGemmAvx512Bf16.reduce);
}
void block_wide(const Block<BFloat16, float>& block) {
  amx::block<Tiles>(block, kGemmAvx512Bf16.block_wide, kGemmAvx512Bf16.reduce_wide);
}

}  // namespace

const GemmKernels<BFloat16>& gemm_amx() {
  static const GemmKernels<BFloat16> kernels = [] {
    GemmKernels<BFloat16> made = kGemmAvx512Bf16;
    made.tile_rows = amx::kSide;
    made.block = block;
    made.block_wide = block_wide;
    return made;
  }();
  return kernels;
}

}  // namespace addax::cpu
