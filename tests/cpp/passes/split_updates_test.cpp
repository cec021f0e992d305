#include "passes/pass_fixture.h"

namespace addax {
namespace {

// Two parameters of one MiB, of which an update takes one, and one of four bytes.
const std::string kHead = R"(
  %rate = input "rate" : f32[]
  %x = input "x" : f32[512,512]
  %y = input "y" : f32[1]
  %a = state "a" : f32[512,512] -> %na
  %b = state "b" : f32[1] -> %nb
  %c = state "c" : f32[512,512] -> %nc
)";

void expect_split(const std::string& before, const std::string& after) {
  const auto graph = [](const std::string& lines) {
    return "graph g {" + kHead + lines + "\n return %r\n}";
  };
  testing::expect_rewrite(passes::split_updates, graph(before), graph(after));
}

TEST(SplitUpdates, EachStandsAfterItsGradientsAndTheReadersOfWhatItOverwrites) {
  expect_split(R"(
  %ga = negative(%x)
  %use = multiply(%a, %x)
  %gb = negative(%y)
  %gc = abs(%use)
  %r = sum(%gc) {axes=[0,1]}
  %na, %nb, %nc = sgd(%rate, %a, %b, %c, %ga, %gb, %gc))",
               R"(
  %ga = negative(%x)
  %use = multiply(%a, %x)
  %na = sgd(%rate, %a, %ga)
  %gb = negative(%y)
  %gc = abs(%use)
  %nb, %nc = sgd(%rate, %b, %c, %gb, %gc)
  %r = sum(%gc) {axes=[0,1]})");
}

TEST(SplitUpdates, SlotsGoWithTheirParameter) {
  expect_split(R"(
  %ga = negative(%x)
  %gc = abs(%ga)
  %nb = abs(%b)
  %na, %nc, %va, %vc = sgd(%rate, %a, %c, %ga, %gc, %x, %ga) {momentum=0.9}
  %r = sum(%gc) {axes=[0,1]})",
               R"(
  %ga = negative(%x)
  %na, %va = sgd(%rate, %a, %ga, %x) {momentum=0.9}
  %gc = abs(%ga)
  %nc, %vc = sgd(%rate, %c, %gc, %ga) {momentum=0.9}
  %nb = abs(%b)
  %r = sum(%gc) {axes=[0,1]})");
}

TEST(SplitUpdates, GradientsThatAreReadyTogetherStayTogether) {
  const std::string both = R"(
  %gb = abs(%y)
  %g = negative(%x)
  %na, %nb, %nc = sgd(%rate, %a, %b, %c, %g, %gb, %g)
  %r = negative(%rate))";
  expect_split(both, both);
}

TEST(SplitUpdates, SmallParametersStayTogether) {
  const std::string small = R"(
  %na = negative(%a)
  %nc = negative(%c)
  %ga = negative(%y)
  %gb = abs(%ga)
  %r = sum(%gb) {axes=[0]}
  %ny, %nb = sgd(%rate, %y, %b, %ga, %gb))";
  expect_split(small, small);
}

}  // namespace
}  // namespace addax
