#include "passes/pass_fixture.h"

namespace addax {
namespace {

const std::string kAttrs = "strides=[1,1], padding=[0,0,0,0], dilations=[1,1], groups=1";

void expect_folded(const std::string& before, const std::string& after) {
  Graph graph = parse_graph(before);
  passes::fold_casts(graph, testing::target_without({}));
  verify(graph, "fold_casts");
  EXPECT_EQ(to_text(graph), to_text(parse_graph(after)));
}

std::string forward(const std::string& lines) {
  return "graph g {\n %x = input \"x\" : bf16[2,4,4,2]\n %w = input \"w\" : f32[3,3,2,6]\n" +
         lines + "\n return %r\n}";
}

TEST(FoldCasts, ConvolutionsTakeTheWideFilter) {
  expect_folded(forward("%n = cast(%w) {dtype=bf16}\n%r = conv2d(%x, %n) {" + kAttrs + "}"),
                forward("%r = conv2d(%x, %w) {" + kAttrs + "}"));
}

TEST(FoldCasts, TheGradientByTheInputToo) {
  const auto graph = [](const std::string& lines) {
    return "graph g {\n %dy = input \"dy\" : bf16[2,2,2,6]\n %w = input \"w\" : f32[3,3,2,6]\n" +
           lines + ", input_shape=[2,4,4,2]}\n return %r\n}";
  };
  expect_folded(graph("%n = cast(%w) {dtype=bf16}\n%r = conv2d_input_grad(%dy, %n) {" + kAttrs),
                graph("%r = conv2d_input_grad(%dy, %w) {" + kAttrs));
}

std::string backward(const std::string& lines, const std::string& results) {
  return "graph g {\n %x = input \"x\" : bf16[2,4,4,2]\n %dy = input \"dy\" : bf16[2,2,2,6]\n" +
         lines + "\n return " + results + "\n}";
}
const std::string kGrad =
    "%d = conv2d_filter_grad(%x, %dy) {" + kAttrs + ", filter_shape=[3,3,2,6]}\n";

TEST(FoldCasts, AGradientByTheFilterIsPutOutWide) {
  expect_folded(backward(kGrad + "%r = cast(%d) {dtype=f32}", "%r"),
                backward("%r = conv2d_filter_grad(%x, %dy) {" + kAttrs +
                             ", filter_shape=[3,3,2,6], wide=true}",
                         "%r"));
}

TEST(FoldCasts, WhatElseReadsTheGradientKeepsItsRounding) {
  const std::string both = backward(kGrad + "%r = cast(%d) {dtype=f32}", "%r, %d");
  expect_folded(both, both);
}

TEST(FoldCasts, OtherCastsStay) {
  const std::string half =
      forward("%h = cast(%w) {dtype=f16}\n%n = cast(%h) {dtype=bf16}\n%r = conv2d(%x, %n) {" +
              kAttrs + "}");
  expect_folded(half, half);
  const std::string wider = backward(kGrad + "%r = cast(%d) {dtype=f64}", "%r");
  expect_folded(wider, wider);
}

}  // namespace
}  // namespace addax
