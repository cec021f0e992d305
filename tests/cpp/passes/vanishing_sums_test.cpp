#include "passes/pass_fixture.h"

namespace addax {
namespace {

void expect_dropped(std::string_view before, std::string_view after) {
  testing::expect_rewrite(passes::drop_vanishing_sums, before, after);
}

void expect_kept(std::string_view text) { expect_dropped(text, text); }

TEST(VanishingSums, OfTheGradientOfABatchNorm) {
  expect_dropped(R"ir(graph g {
    %x = input "x" : f32[2,3,4]
    %dy = input "dy" : f32[2,3,4]
    %gamma = input "gamma" : f32[4]
    %beta = input "beta" : f32[4]
    %slope = input "slope" : f32[4]
    %y, %mean, %variance = batch_norm_train(%x, %gamma, %beta) {epsilon=0.001}
    %0 = subtract(%x, %mean)
    %1 = sum(%dy) {axes=[0,1]}
    %2 = constant() {value=f32[](6)} : f32[]
    %3 = divide(%1, %2)
    %4 = subtract(%dy, %3)
    %5 = multiply(%0, %slope)
    %6 = subtract(%4, %5)
    %7 = multiply(%gamma, %6)
    %8 = sum(%7) {axes=[0,1]}
    return %y, %7, %8
  })ir",
                 R"ir(graph g {
    %x = input "x" : f32[2,3,4]
    %dy = input "dy" : f32[2,3,4]
    %gamma = input "gamma" : f32[4]
    %beta = input "beta" : f32[4]
    %slope = input "slope" : f32[4]
    %y, %mean, %variance = batch_norm_train(%x, %gamma, %beta) {epsilon=0.001}
    %0 = subtract(%x, %mean)
    %1 = sum(%dy) {axes=[0,1]}
    %2 = constant() {value=f32[](6)} : f32[]
    %3 = divide(%1, %2)
    %4 = subtract(%dy, %3)
    %5 = multiply(%0, %slope)
    %6 = subtract(%4, %5)
    %7 = multiply(%gamma, %6)
    %8 = constant() {value=f32[](0)} : f32[]
    %9 = broadcast_to(%8) {shape=[4]}
    return %y, %7, %9
  })ir");
}

TEST(VanishingSums, ThroughCastsToAndFromThePrecisionOfTheSums) {
  expect_dropped(R"ir(graph g {
    %x = input "x" : bf16[6,4]
    %gamma = input "gamma" : f32[4]
    %y, %mean, %variance = batch_norm_train(%x, %gamma, %gamma) {epsilon=0.001}
    %0 = cast(%x) {dtype=f32}
    %1 = subtract(%0, %mean)
    %2 = cast(%1) {dtype=bf16}
    %3 = sum(%2) {axes=[0], keepdims=true}
    return %y, %3
  })ir",
                 R"ir(graph g {
    %x = input "x" : bf16[6,4]
    %gamma = input "gamma" : f32[4]
    %y, %mean, %variance = batch_norm_train(%x, %gamma, %gamma) {epsilon=0.001}
    %0 = cast(%x) {dtype=f32}
    %1 = subtract(%0, %mean)
    %2 = cast(%1) {dtype=bf16}
    %3 = constant() {value=bf16[](0)} : bf16[]
    %4 = broadcast_to(%3) {shape=[1,4]}
    return %y, %4
  })ir");
}

// The gradient of what also goes around the batch norm.
TEST(VanishingSums, NotWithAnotherGradientAdded) {
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[6,4]
    %around = input "around" : f32[6,4]
    %gamma = input "gamma" : f32[4]
    %y, %mean, %variance = batch_norm_train(%x, %gamma, %gamma) {epsilon=0.001}
    %0 = subtract(%x, %mean)
    %1 = add(%0, %around)
    %2 = sum(%1) {axes=[0]}
    return %y, %2
  })ir");
}

TEST(VanishingSums, NotOverOtherAxesOrOfOtherImagesOrWithAFactorForEach) {
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[6,4]
    %z = input "z" : f32[6,4]
    %gamma = input "gamma" : f32[4]
    %y, %mean, %variance = batch_norm_train(%x, %gamma, %gamma) {epsilon=0.001}
    %0 = subtract(%x, %mean)
    %1 = sum(%0) {axes=[0,1]}
    %2 = subtract(%z, %mean)
    %3 = sum(%2) {axes=[0]}
    %4 = multiply(%0, %z)
    %5 = sum(%4) {axes=[0]}
    %6 = subtract(%x, %variance)
    %7 = sum(%6) {axes=[0]}
    return %y, %1, %3, %5, %7
  })ir");
}

TEST(VanishingSums, NotOfIntegers) {
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[6,4]
    %gamma = input "gamma" : f32[4]
    %y, %mean, %variance = batch_norm_train(%x, %gamma, %gamma) {epsilon=0.001}
    %0 = subtract(%x, %mean)
    %1 = cast(%0) {dtype=i32}
    %2 = sum(%1) {axes=[0]}
    %3 = cast(%mean) {dtype=i32}
    %4 = cast(%3) {dtype=f32}
    %5 = subtract(%x, %4)
    %6 = sum(%5) {axes=[0]}
    return %y, %2, %6
  })ir");
}

// What a user sums is summed.
TEST(VanishingSums, NotWithoutABatchNorm) {
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[6,4]
    %0 = sum(%x) {axes=[0]}
    %1 = constant() {value=f32[](6)} : f32[]
    %2 = divide(%0, %1)
    %3 = subtract(%x, %2)
    %4 = sum(%3) {axes=[0]}
    return %4
  })ir");
}

}  // namespace
}  // namespace addax
