#include "passes/pass_fixture.h"

namespace addax {
namespace {

using testing::expect_rewrite;
using testing::target_without;

constexpr std::string_view kTraining = R"ir(graph g {
    %x = input "x" : f32[2,4,6,3]
    %dy = input "dy" : f32[2,2,3,3]
    %0 = max_pool2d(%x) {pool_size=[2,2]}
    %1 = exp(%0)
    %2 = max_pool2d_grad(%x, %dy) {pool_size=[2,2]}
    return %1, %2
  })ir";

TEST(KeepArgmax, OfAPoolWhoseGradientIsAskedFor) {
  expect_rewrite(passes::keep_argmax, kTraining, R"ir(graph g {
    %x = input "x" : f32[2,4,6,3]
    %dy = input "dy" : f32[2,2,3,3]
    %0, %1 = max_pool2d_argmax(%x) {pool_size=[2,2]}
    %2 = exp(%0)
    %3 = max_pool2d_argmax_grad(%dy, %1) {input_shape=[2,4,6,3], pool_size=[2,2]}
    return %2, %3
  })ir");
}

TEST(KeepArgmax, NotWhereTheDeviceRefuses) {
  for (const char* op : {"max_pool2d_argmax", "max_pool2d_argmax_grad"}) {
    expect_rewrite(passes::keep_argmax, kTraining, kTraining, target_without({op}));
  }
}

TEST(KeepArgmax, NotOfOtherWindowsOrImages) {
  constexpr std::string_view kOthers = R"ir(graph g {
    %x = input "x" : f32[2,4,6,3]
    %z = input "z" : f32[2,4,6,3]
    %dy = input "dy" : f32[2,2,3,3]
    %0 = max_pool2d(%x) {padding=[0,1,0,0], pool_size=[2,2]}
    %1 = max_pool2d(%z) {pool_size=[2,2]}
    %2 = max_pool2d_grad(%x, %dy) {pool_size=[2,2]}
    return %0, %1, %2
  })ir";
  expect_rewrite(passes::keep_argmax, kOthers, kOthers);
}

TEST(KeepArgmax, NotOfWindowsWithMorePositionsThanAByteNumbers) {
  constexpr std::string_view kWide = R"ir(graph g {
    %x = input "x" : f32[1,1,300,1]
    %dy = input "dy" : f32[1,1,1,1]
    %0 = max_pool2d(%x) {pool_size=[1,300]}
    %1 = max_pool2d_grad(%x, %dy) {pool_size=[1,300]}
    return %0, %1
  })ir";
  expect_rewrite(passes::keep_argmax, kWide, kWide);
}

TEST(KeepArgmax, OfPoolsInARow) {
  expect_rewrite(passes::keep_argmax, R"ir(graph g {
    %x = input "x" : f32[2,4,8,3]
    %dy = input "dy" : f32[2,1,2,3]
    %0 = max_pool2d(%x) {pool_size=[2,2]}
    %1 = max_pool2d(%0) {pool_size=[2,2]}
    %2 = max_pool2d_grad(%0, %dy) {pool_size=[2,2]}
    %3 = max_pool2d_grad(%x, %2) {pool_size=[2,2]}
    return %1, %3
  })ir",
                 R"ir(graph g {
    %x = input "x" : f32[2,4,8,3]
    %dy = input "dy" : f32[2,1,2,3]
    %0, %1 = max_pool2d_argmax(%x) {pool_size=[2,2]}
    %2, %3 = max_pool2d_argmax(%0) {pool_size=[2,2]}
    %4 = max_pool2d_argmax_grad(%dy, %3) {input_shape=[2,2,4,3], pool_size=[2,2]}
    %5 = max_pool2d_argmax_grad(%4, %1) {input_shape=[2,4,8,3], pool_size=[2,2]}
    return %2, %5
  })ir");
}

}  // namespace
}  // namespace addax
