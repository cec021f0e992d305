#include "passes/pass_fixture.h"

namespace addax {
namespace {

void expect_folded(std::string_view before, std::string_view after) {
  testing::expect_rewrite(passes::fold_affine, before, after);
}

void expect_kept(std::string_view text) { expect_folded(text, text); }

TEST(FoldAffine, ABiasAndBatchNormalizationBecomeOneScaleAndShift) {
  expect_folded(R"ir(graph g {
    %x = input "x" : f32[1,4,4,8]
    %w = state "w" : f32[3,3,8,6]
    %b = state "b" : f32[6]
    %m = state "m" : f32[6]
    %s = state "s" : f32[6]
    %t = state "t" : f32[1,6]
    %0 = conv2d(%x, %w)
    %1 = add(%b, %0)
    %2 = subtract(%1, %m)
    %3 = multiply(%2, %s)
    %4 = add(%3, %t)
    %5 = relu(%4)
    return %5
  })ir",
                R"ir(graph g {
    %x = input "x" : f32[1,4,4,8]
    %w = state "w" : f32[3,3,8,6]
    %b = state "b" : f32[6]
    %m = state "m" : f32[6]
    %s = state "s" : f32[6]
    %t = state "t" : f32[1,6]
    %0 = conv2d(%x, %w)
    %1 = subtract(%b, %m)
    %2 = multiply(%1, %s)
    %3 = add(%2, %t)
    %4 = multiply(%0, %s)
    %5 = add(%4, %3)
    %6 = relu(%5)
    return %6
  })ir");
}

TEST(FoldAffine, FactorsAndASubtractionThatComesFirst) {
  expect_folded(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %m = state "m" : f32[2]
    %s = state "s" : f32[2]
    %t = state "t" : f32[2]
    %0 = matmul(%x, %w)
    %1 = multiply(%0, %s)
    %2 = subtract(%1, %m)
    %3 = multiply(%t, %2)
    return %3
  })ir",
                R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %m = state "m" : f32[2]
    %s = state "s" : f32[2]
    %t = state "t" : f32[2]
    %0 = matmul(%x, %w)
    %1 = negative(%m)
    %2 = multiply(%s, %t)
    %3 = multiply(%1, %t)
    %4 = multiply(%0, %2)
    %5 = add(%4, %3)
    return %5
  })ir");
}

TEST(FoldAffine, StopsWhereAValueIsNeededElsewhere) {
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %b = state "b" : f32[2]
    %m = state "m" : f32[2]
    %s = state "s" : f32[2]
    %0 = matmul(%x, %w)
    %1 = add(%0, %b)
    %2 = sum(%1) {axes=[0]}
    %3 = subtract(%1, %m)
    %4 = multiply(%3, %s)
    return %2, %4
  })ir");
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %b = state "b" : f32[2]
    %m = state "m" : f32[2]
    %0 = matmul(%x, %w)
    %1 = add(%0, %b)
    %2 = subtract(%1, %m)
    return %1, %2
  })ir");
}

TEST(FoldAffine, LeavesWhatIsNoAffineFunctionOfEachColumn) {
  // One term and one factor; a column and a tensor of the result's shape; m - x; not a contraction.
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %b = state "b" : f32[2]
    %s = state "s" : f32[2]
    %0 = matmul(%x, %w)
    %1 = multiply(%0, %s)
    %2 = add(%1, %b)
    return %2
  })ir");
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %c = state "c" : f32[4,1]
    %r = state "r" : f32[4,2]
    %0 = matmul(%x, %w)
    %1 = add(%0, %c)
    %2 = add(%1, %r)
    return %2
  })ir");
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %b = state "b" : f32[2]
    %m = state "m" : f32[2]
    %0 = matmul(%x, %w)
    %1 = subtract(%m, %0)
    %2 = add(%1, %b)
    return %2
  })ir");
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[4,2]
    %b = state "b" : f32[2]
    %m = state "m" : f32[2]
    %0 = add(%x, %b)
    %1 = subtract(%0, %m)
    return %1
  })ir");
  expect_kept(R"ir(graph g {
    %x = input "x" : i32[4,3]
    %w = state "w" : i32[3,2]
    %b = state "b" : i32[2]
    %m = state "m" : i32[2]
    %0 = matmul(%x, %w)
    %1 = add(%0, %b)
    %2 = subtract(%1, %m)
    return %2
  })ir");
}

TEST(FoldAffine, IsLeftOutWithoutFusion) {
  PassTarget target = testing::target_without({});
  target.fuse = false;
  const char* text = R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %b = state "b" : f32[2]
    %m = state "m" : f32[2]
    %0 = matmul(%x, %w)
    %1 = add(%0, %b)
    %2 = subtract(%1, %m)
    return %2
  })ir";
  testing::expect_rewrite(passes::fold_affine, text, text, target);
}

}  // namespace
}  // namespace addax
