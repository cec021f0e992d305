#include "graph/samples.h"

#include <gtest/gtest.h>

#include "graph/text.h"

namespace addax {
namespace {

constexpr const char* kDraw = R"ir(graph g {
  %x = input "x" : f32[10,3]
  %y = input "y" : i64[10]
  %key = input "key" : i64[2]
  %cursor = state "cursor" : i64[] -> %1
  %0 = constant() {value=i64[](1)} : i64[]
  %1 = add(%cursor, %0)
  %2 = batch_indices(%cursor, %key) {n=10, batch=4, shuffle=true}
  %3 = take(%x, %2) {axis=0}
  %4 = take(%y, %2) {axis=0}
  return %3, %4
})ir";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

TEST(WithSamples, ChangesInputsAndTheOrderDrawn) {
  const std::optional<Graph> graph = with_samples(parse_graph(kDraw), 2, 25);
  ASSERT_TRUE(graph);
  const std::string wanted = replaced(replaced(kDraw, "[10", "[25"), "n=10", "n=25");
  EXPECT_EQ(to_text(*graph), to_text(parse_graph(wanted)));
}

TEST(WithSamples, NeedsAsManyAsAreDrawnAtATime) {
  EXPECT_TRUE(with_samples(parse_graph(kDraw), 2, 4));
  EXPECT_FALSE(with_samples(parse_graph(kDraw), 2, 3));
}

TEST(WithSamples, NeedsInputsThatAreDrawnFromAlone) {
  for (const char* other : {"%5 = sum(%x) {axes=[0]}\n  return %3, %4, %5", "return %3, %4, %x",
                            "%5 = take(%x, %cursor) {axis=1}\n  return %3, %4, %5"}) {
    const std::string text = replaced(kDraw, "return %3, %4", other);
    EXPECT_FALSE(with_samples(parse_graph(text), 2, 25)) << text;
  }
}

TEST(WithSamples, NeedsInputsThatBecomeNoState) {
  EXPECT_FALSE(with_samples(parse_graph(R"ir(graph g {
    %x = input "x" : f32[10,3]
    %kept = state "kept" : f32[10,3] -> %x
    return %kept
  })ir"),
                            1, 25));
}

TEST(WithSamples, NeedsInputsOfOneExtent) {
  EXPECT_FALSE(with_samples(parse_graph(replaced(kDraw, "i64[10]", "i64[11]")), 2, 25));
  EXPECT_FALSE(with_samples(parse_graph(replaced(kDraw, "n=10", "n=9")), 2, 25));
}

}  // namespace
}  // namespace addax
