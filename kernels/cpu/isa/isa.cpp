#include "cpu/isa/isa.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "core/env.h"
#include "core/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace addax::cpu {
namespace {

constexpr std::array kLevels = {Isa::Portable, Isa::Avx2, Isa::Avx512, Isa::Avx512Bf16, Isa::Amx};

#if defined(__x86_64__)

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

constexpr bool has(uint32_t value, uint32_t bits) { return (value & bits) == bits; }
constexpr uint32_t bit(int index) { return uint32_t{1} << index; }

// The register states that the operating system saves on a context switch.
uint32_t saved_states() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Linux saves tile registers for processes that have asked for it; all threads then have them.
bool may_use_tiles() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

Isa detect() {
  constexpr uint32_t kFma = bit(12), kOsxsave = bit(27), kAvx = bit(28), kF16c = bit(29);
  constexpr uint32_t kAvx2 = bit(5);
  constexpr uint32_t kAvx512 = bit(16) | bit(17) | bit(30) | bit(31);  // F, DQ, BW, VL
  constexpr uint32_t kAvx512Bf16 = bit(5);
  constexpr uint32_t kAmx = bit(22) | bit(24);  // BF16, TILE
  constexpr uint32_t kYmmState = bit(1) | bit(2);
  constexpr uint32_t kZmmState = kYmmState | bit(5) | bit(6) | bit(7);
  constexpr uint32_t kTileState = bit(17) | bit(18);

  if (!has(cpuid(1).ecx, kFma | kOsxsave | kAvx | kF16c)) return Isa::Portable;
  const uint32_t states = saved_states();
  const uint32_t extended = cpuid(7).ebx;
  if (!has(states, kYmmState) || !has(extended, kAvx2)) return Isa::Portable;
  if (!has(states, kZmmState) || !has(extended, kAvx512)) return Isa::Avx2;
  if (!has(cpuid(7, 1).eax, kAvx512Bf16)) return Isa::Avx512;
  const bool tiles = has(states, kTileState) && has(cpuid(7).edx, kAmx) && may_use_tiles();
  return tiles ? Isa::Amx : Isa::Avx512Bf16;
}

#else

Isa detect() { return Isa::Portable; }

#endif

std::size_t cache_size(int key, std::size_t typical) {
  const long bytes = sysconf(key);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : typical;
}

}  // namespace

std::string_view name(Isa isa) {
  switch (isa) {
    case Isa::Portable:
      return "portable";
    case Isa::Avx2:
      return "avx2";
    case Isa::Avx512:
      return "avx512";
    case Isa::Avx512Bf16:
      return "avx512_bf16";
    case Isa::Amx:
      return "amx";
  }
  return "unknown";
}

Isa detected_isa() {
  static const Isa isa = detect();
  return isa;
}

Isa active_isa() {
  const auto cap = env::get("ADDAX_ISA");
  if (!cap) return detected_isa();
  for (Isa level : kLevels) {
    if (*cap == name(level)) return std::min(level, detected_isa());
  }
  throw InvalidArgumentError(
      "ADDAX_ISA is '" + *cap +
      "'; set it to portable, avx2, avx512, avx512_bf16 or amx, or leave it unset");
}

const CacheSizes& cache_sizes() {
  static const CacheSizes sizes = {
#if defined(_SC_LEVEL1_DCACHE_SIZE)
    cache_size(_SC_LEVEL1_DCACHE_SIZE, 32 << 10),
    cache_size(_SC_LEVEL2_CACHE_SIZE, 1 << 20),
    cache_size(_SC_LEVEL3_CACHE_SIZE, 16 << 20),
#else
    32 << 10,
    1 << 20,
    16 << 20,
#endif
  };
  return sizes;
}

int64_t l2_share(int64_t parts, std::size_t bytes) {
  return static_cast<int64_t>(cache_sizes().l2 / bytes) / parts;
}

}  // namespace addax::cpu
