#include "core/suggest.h"

#include <gtest/gtest.h>

#include <vector>

namespace addax {
namespace {

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("relu", "relu"), 0u);
  EXPECT_EQ(edit_distance("ReLU", "relu"), 0u);
  EXPECT_EQ(edit_distance("", "add"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("maen", "mean"), 1u);
  EXPECT_EQ(edit_distance("axis", "axes"), 1u);
}

TEST(NearestName, FindsWhatWasMeant) {
  const std::vector<std::string> names = {"add", "maximum", "minimum", "softmax"};
  EXPECT_EQ(nearest_name("maximun", names), "maximum");
  EXPECT_EQ(nearest_name("sofmax", names), "softmax");
  EXPECT_EQ(nearest_name("ad", names), "add");
  EXPECT_EQ(nearest_name("convolution", names), std::nullopt);
  EXPECT_EQ(nearest_name("x", {}), std::nullopt);
}

TEST(DidYouMean, IsEmptyWhereNothingIsNear) {
  const std::vector<std::string> names = {"float32", "float64"};
  EXPECT_EQ(did_you_mean("flaot32", names), "; did you mean 'float32'?");
  EXPECT_EQ(did_you_mean("string", names), "");
}

}  // namespace
}  // namespace addax
