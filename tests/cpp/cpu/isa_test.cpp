#include "cpu/isa/isa.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "core/error.h"

namespace addax::cpu {
namespace {

class IsaTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* value = std::getenv("ADDAX_ISA")) before_ = value;
  }
  void TearDown() override {
    if (before_.empty()) {
      unsetenv("ADDAX_ISA");
    } else {
      setenv("ADDAX_ISA", before_.c_str(), 1);
    }
  }

 private:
  std::string before_;
};

TEST_F(IsaTest, NamesAreTheSettingsWords) {
  EXPECT_EQ(name(Isa::Portable), "portable");
  EXPECT_EQ(name(Isa::Avx2), "avx2");
  EXPECT_EQ(name(Isa::Avx512), "avx512");
  EXPECT_EQ(name(Isa::Avx512Bf16), "avx512_bf16");
  EXPECT_EQ(name(Isa::Amx), "amx");
}

TEST_F(IsaTest, UnsetMeansDetected) {
  unsetenv("ADDAX_ISA");
  EXPECT_EQ(active_isa(), detected_isa());
}

TEST_F(IsaTest, SettingCapsButNeverRaises) {
  setenv("ADDAX_ISA", "portable", 1);
  EXPECT_EQ(active_isa(), Isa::Portable);
  setenv("ADDAX_ISA", "avx2", 1);
  EXPECT_LE(active_isa(), Isa::Avx2);
  EXPECT_LE(active_isa(), detected_isa());
  setenv("ADDAX_ISA", "amx", 1);
  EXPECT_EQ(active_isa(), detected_isa());
}

TEST_F(IsaTest, UnknownSettingNamesItselfAndTheChoices) {
  setenv("ADDAX_ISA", "avx1024", 1);
  try {
    active_isa();
    FAIL() << "expected InvalidArgumentError";
  } catch (const InvalidArgumentError& error) {
    const std::string message = error.what();
    for (const char* word : {"avx1024", "portable", "avx2", "avx512", "avx512_bf16", "amx"}) {
      EXPECT_NE(message.find(word), std::string::npos) << message;
    }
  }
}

#if defined(__x86_64__)
TEST_F(IsaTest, AgreesWithTheCompilersDetection) {
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  const bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
  const Isa without_tiles = bf16     ? Isa::Avx512Bf16
                            : avx512 ? Isa::Avx512
                            : avx2   ? Isa::Avx2
                                     : Isa::Portable;
  EXPECT_EQ(std::min(detected_isa(), Isa::Avx512Bf16), without_tiles);
}
#endif

TEST_F(IsaTest, CacheSizesRise) {
  const CacheSizes& sizes = cache_sizes();
  EXPECT_GE(sizes.l1, std::size_t{8} << 10);
  EXPECT_GT(sizes.l2, sizes.l1);
  EXPECT_GE(sizes.l3, sizes.l2);
}

}  // namespace
}  // namespace addax::cpu
