#include "passes/pass_fixture.h"

namespace addax {
namespace {

void expect_hoisted(std::string_view before, std::string_view after) {
  testing::expect_rewrite(passes::hoist_over_pooling, before, after);
}

void expect_kept(std::string_view text) { expect_hoisted(text, text); }

TEST(HoistOverPooling, MaskAndSumOfAMaxPoolGradient) {
  expect_hoisted(R"ir(graph g {
    %x = input "x" : f32[2,4,6,3]
    %dy = input "dy" : f32[2,2,3,3]
    %0 = constant() {value=f32[](0)} : f32[]
    %1 = max_pool2d_grad(%x, %dy) {pool_size=[2,2]}
    %2 = greater(%x, %0)
    %3 = where(%2, %1, %0)
    %4 = sum(%3) {axes=[0,1,2]}
    return %3, %4
  })ir",
                 R"ir(graph g {
    %x = input "x" : f32[2,4,6,3]
    %dy = input "dy" : f32[2,2,3,3]
    %0 = max_pool2d(%x) {pool_size=[2,2]}
    %1 = constant() {value=f32[](0)} : f32[]
    %2 = greater(%0, %1)
    %3 = constant() {value=f32[](0)} : f32[]
    %4 = where(%2, %dy, %3)
    %5 = sum(%4) {axes=[0,1,2]}
    %6 = max_pool2d_grad(%x, %4) {pool_size=[2,2]}
    return %6, %5
  })ir");
}

TEST(HoistOverPooling, SumOfAnAveragePoolGradientKeepingItsRank) {
  expect_hoisted(R"ir(graph g {
    %dy = input "dy" : f32[2,2,3,3]
    %0 = avg_pool2d_grad(%dy) {input_shape=[2,5,7,3], pool_size=[2,2]}
    %1 = sum(%0) {axes=[1,2], keepdims=true}
    return %1
  })ir",
                 R"ir(graph g {
    %dy = input "dy" : f32[2,2,3,3]
    %0 = sum(%dy) {axes=[1,2], keepdims=true}
    return %0
  })ir");
}

TEST(HoistOverPooling, KeepsASumOfRows) {
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[2,4,6,3]
    %dy = input "dy" : f32[2,2,3,3]
    %0 = max_pool2d_grad(%x, %dy) {pool_size=[2,2]}
    %1 = sum(%0) {axes=[0,1]}
    return %1
  })ir");
}

TEST(HoistOverPooling, KeepsAMaskByOtherImages) {
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[2,4,6,3]
    %z = input "z" : f32[2,4,6,3]
    %dy = input "dy" : f32[2,2,3,3]
    %0 = constant() {value=f32[](0)} : f32[]
    %1 = max_pool2d_grad(%x, %dy) {pool_size=[2,2]}
    %2 = greater(%z, %0)
    %3 = where(%2, %1, %0)
    return %3
  })ir");
}

TEST(HoistOverPooling, KeepsAMaskThatPutsAnotherNumberElsewhere) {
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[2,4,6,3]
    %dy = input "dy" : f32[2,2,3,3]
    %0 = constant() {value=f32[](-0.0)} : f32[]
    %1 = max_pool2d_grad(%x, %dy) {pool_size=[2,2]}
    %2 = greater(%x, %0)
    %3 = where(%2, %1, %0)
    return %3
  })ir");
}

TEST(HoistOverPooling, KeepsAGradientThatOthersRead) {
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[2,4,6,3]
    %dy = input "dy" : f32[2,2,3,3]
    %0 = constant() {value=f32[](0)} : f32[]
    %1 = max_pool2d_grad(%x, %dy) {pool_size=[2,2]}
    %2 = greater(%x, %0)
    %3 = where(%2, %1, %0)
    %4 = add(%1, %3)
    return %4
  })ir");
}

}  // namespace
}  // namespace addax
