#include "core/env.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"

namespace addax {
namespace {

constexpr const char* kVariable = "ADDAX_TEST_SETTING";

class Env : public testing::Test {
 protected:
  void TearDown() override { unsetenv(kVariable); }
};

TEST_F(Env, UnsetAndEmptyAreNothing) {
  EXPECT_EQ(env::get(kVariable), std::nullopt);
  setenv(kVariable, "", 1);
  EXPECT_EQ(env::get(kVariable), std::nullopt);
  EXPECT_EQ(env::get_positive(kVariable), std::nullopt);
}

TEST_F(Env, ReadsPositiveIntegers) {
  setenv(kVariable, "12", 1);
  EXPECT_EQ(env::get_positive(kVariable), 12);
}

TEST_F(Env, RejectsWhatIsNoPositiveInteger) {
  for (const char* text : {"0", "-1", "2x", "two", "99999999999999999999"}) {
    setenv(kVariable, text, 1);
    try {
      env::get_positive(kVariable);
      ADD_FAILURE() << text;
    } catch (const InvalidArgumentError& error) {
      EXPECT_NE(std::string(error.what()).find(kVariable), std::string::npos);
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace addax
