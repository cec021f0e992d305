// Prints what this machine can do at most with all threads together, as "name value" lines:
//   fma_gflops    float32 multiply-adds held in registers
//   bf16_gflops   bfloat16 products held in registers, where there are instructions for them: AMX
//                 tiles, else vectors of pairs
//   read_gbs_N    reading N KiB per thread again and again, from whichever cache holds them
// usage: limits THREADS. Compile with -O3 -march=native, without -ffast-math.

#if defined(__AMX_BF16__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Runs body(thread) on every thread at once, several times; the shortest time of a round counts.
template <typename Body>
double fastest_round(int threads, int rounds, Body body) {
  double best = 1e30;
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::thread> team;
    const double begin = seconds();
    for (int t = 0; t < threads; ++t) team.emplace_back(body, t);
    for (std::thread& member : team) member.join();
    best = std::min(best, seconds() - begin);
  }
  return best;
}

std::atomic<float> sink;

constexpr long kFmaLoops = 20'000'000;
constexpr int kChains = 10;  // latency 4, two a cycle, and some slack

void multiply_add(int) {
  Vector sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = Vector{} + static_cast<float>(i);
  Vector factor = Vector{} + 0.999f;
  Vector term = Vector{} + 1e-3f;
  for (long loop = 0; loop < kFmaLoops; ++loop) {
    for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * factor + term;
    asm volatile("" : "+v"(factor));
  }
  float total = 0;
  for (const Vector& sum : sums) total += sum[0];
  sink = total;
}

#if defined(__AMX_BF16__)

// 16 rows of 64 bytes for all eight tile registers.
struct alignas(64) TileConfig {
  unsigned char palette = 1, start_row = 0, reserved[14] = {};
  unsigned short row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr double kBf16FlopsALoop = 4 * 2.0 * 16 * 16 * 32;
constexpr long kBf16Loops = 5'000'000;

bool has_bf16() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

void multiply_bf16(int) {
  const TileConfig config;
  asm volatile("ldtilecfg %0" ::"m"(config));
  asm volatile("tilezero %tmm0; tilezero %tmm1; tilezero %tmm2; tilezero %tmm3");
  asm volatile("tilezero %tmm4; tilezero %tmm5; tilezero %tmm6; tilezero %tmm7");
  for (long loop = 0; loop < kBf16Loops; ++loop) {
    asm volatile("tdpbf16ps %tmm6, %tmm4, %tmm0; tdpbf16ps %tmm7, %tmm4, %tmm1");
    asm volatile("tdpbf16ps %tmm6, %tmm5, %tmm2; tdpbf16ps %tmm7, %tmm5, %tmm3");
  }
  asm volatile("tilerelease");
}

#elif defined(__AVX512BF16__)

constexpr double kBf16FlopsALoop = 20 * 2.0 * 32;
constexpr long kBf16Loops = 10'000'000;

bool has_bf16() { return true; }

// Twenty chains of sums, to which zero times zero is added.
void multiply_bf16(int) {
  asm volatile("vpxord %%zmm31, %%zmm31, %%zmm31" ::: "xmm31");
  for (long loop = 0; loop < kBf16Loops; ++loop) {
    asm volatile(
        ".irp sum, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19\n"
        "vdpbf16ps %%zmm31, %%zmm31, %%zmm\\sum\n"
        ".endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18",
              "xmm19");
  }
}

#endif

void read_all(const std::vector<Vector>& buffer, long repeats) {
  Vector sums[8] = {};
  for (long r = 0; r < repeats; ++r) {
    for (size_t i = 0; i + 8 <= buffer.size(); i += 8) {
      for (size_t k = 0; k < 8; ++k) sums[k] += buffer[i + k];
    }
    asm volatile("" ::: "memory");
  }
  float total = 0;
  for (const Vector& sum : sums) total += sum[0];
  sink = total;
}

double read_gbs(int threads, size_t bytes, long repeats) {
  std::vector<std::vector<Vector>> buffers(static_cast<size_t>(threads));
  for (auto& buffer : buffers) buffer.assign(bytes / sizeof(Vector), Vector{} + 1.0f);
  const double time =
      fastest_round(threads, 5, [&](int t) { read_all(buffers[static_cast<size_t>(t)], repeats); });
  return static_cast<double>(threads) * static_cast<double>(bytes) * static_cast<double>(repeats) /
         time * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  if (threads < 1) return 2;
  const double time = fastest_round(threads, 3, multiply_add);
  std::printf("fma_gflops %.1f\n", 2.0 * kLanes * kChains * kFmaLoops * threads / time * 1e-9);
#if defined(__AMX_BF16__) || defined(__AVX512BF16__)
  if (has_bf16()) {
    const double bf16_time = fastest_round(threads, 3, multiply_bf16);
    std::printf("bf16_gflops %.1f\n", kBf16FlopsALoop * kBf16Loops * threads / bf16_time * 1e-9);
  }
#endif
  for (size_t kib = 256; kib <= size_t{256} << 10; kib *= 4) {
    const long repeats = std::max(1L, static_cast<long>((size_t{512} << 10) / kib));
    std::printf("read_gbs_%zu %.1f\n", kib, read_gbs(threads, kib << 10, repeats));
  }
  return 0;
}
