#include "passes/pass_fixture.h"

namespace addax {
namespace {

void expect_fused(std::string_view before, std::string_view after) {
  testing::expect_rewrite(passes::fuse_epilogue, before, after);
}

void expect_kept(std::string_view text) { expect_fused(text, text); }

TEST(FuseEpilogue, BiasAndActivation) {
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %b = state "b" : f32[2]
    %0 = matmul(%x, %w)  # dense
    %1 = add(%0, %b)  # dense
    %2 = relu(%1)
    return %2
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %b = state "b" : f32[2]
    %2 = matmul_epilogue(%x, %w, %b) {epilogue="maximum(i0 + i1, 0)"}  # dense
    return %2
  })ir");
}

TEST(FuseEpilogue, ConvolutionWithScaleActivationAndResidual) {
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[1,4,4,8]
    %w = state "w" : f32[3,3,8,8]
    %s = state "s" : f32[8]
    %b = state "b" : f32[1,8]
    %y = conv2d(%x, %w) {padding=[1,1,1,1]}
    %1 = multiply(%y, %s)
    %2 = add(%1, %b)
    %3 = sigmoid(%2)
    %4 = multiply(%2, %3)
    %5 = add(%x, %4)
    return %5
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[1,4,4,8]
    %w = state "w" : f32[3,3,8,8]
    %s = state "s" : f32[8]
    %b = state "b" : f32[1,8]
    %5 = conv2d_epilogue(%x, %w, %s, %b, %x) {padding=[1,1,1,1], epilogue="t0 = i0 * i1 + i2; i3 + t0 * (1 / (1 + exp(-t0)))"}
    return %5
  })ir");
}

TEST(FuseEpilogue, TheGradientOfReluWithItsMask) {
  expect_fused(R"ir(graph g {
    %d = input "d" : f32[4,2]
    %w = state "w" : f32[3,2]
    %y = input "y" : f32[4,3]
    %c = constant() {value=f32[](0)}
    %m = greater(%y, %c)
    %0 = matmul(%d, %w) {transpose_b=true}
    %1 = where(%m, %0, %c)
    %2 = sum(%1) {axes=[0]}
    return %1, %2
  })ir",
               R"ir(graph g {
    %d = input "d" : f32[4,2]
    %w = state "w" : f32[3,2]
    %y = input "y" : f32[4,3]
    %1 = matmul_epilogue(%d, %w, %y) {epilogue="where(i1 > 0, i0, 0)", transpose_b=true}
    %2 = sum(%1) {axes=[0]}
    return %1, %2
  })ir");
}

TEST(FuseEpilogue, TheGradientOfAResidualBlockWithItsMask) {
  expect_fused(R"ir(graph g {
    %d = input "d" : f32[2,4,4,8]
    %w = state "w" : f32[3,3,6,8]
    %y = input "y" : f32[2,4,4,6]
    %r = input "r" : f32[2,4,4,6]
    %c = constant() {value=f32[](0)}
    %m = greater(%y, %c)
    %0 = conv2d_input_grad(%d, %w) {padding=[1,1,1,1], input_shape=[2,4,4,6]}
    %1 = add(%r, %0)
    %2 = where(%m, %1, %c)
    return %2
  })ir",
               R"ir(graph g {
    %d = input "d" : f32[2,4,4,8]
    %w = state "w" : f32[3,3,6,8]
    %y = input "y" : f32[2,4,4,6]
    %r = input "r" : f32[2,4,4,6]
    %2 = conv2d_input_grad_epilogue(%d, %w, %y, %r) {padding=[1,1,1,1], input_shape=[2,4,4,6], epilogue="where(i1 > 0, i2 + i0, 0)"}
    return %2
  })ir");
}

TEST(FuseEpilogue, StopsWhereAValueIsNeededElsewhere) {
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %b = state "b" : f32[2]
    %0 = matmul(%x, %w)
    %1 = add(%0, %b)
    %2 = tanh(%1)
    %3 = exp(%2)
    return %3, %1
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %b = state "b" : f32[2]
    %1 = matmul_epilogue(%x, %w, %b) {epilogue="i0 + i1"}
    %2 = tanh(%1)
    %3 = exp(%2)
    return %3, %1
  })ir");
}

TEST(FuseEpilogue, OneOfTwoContractionsTakesTheirSum) {
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %v = state "v" : f32[3,2]
    %w = state "w" : f32[3,2]
    %0 = matmul(%x, %v)
    %1 = matmul(%x, %w)
    %2 = add(%0, %1)
    %3 = relu(%2)
    return %3
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,3]
    %v = state "v" : f32[3,2]
    %w = state "w" : f32[3,2]
    %1 = matmul(%x, %w)
    %3 = matmul_epilogue(%x, %v, %1) {epilogue="maximum(i0 + i1, 0)"}
    return %3
  })ir");
}

TEST(FuseEpilogue, LeavesWhatItCannotTake) {
  // The result has another shape, another dtype, integers; the contraction itself is an output.
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %b = state "b" : f32[5,1,1]
    %0 = matmul(%x, %w)
    %1 = add(%0, %b)
    return %1
  })ir");
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %0 = matmul(%x, %w)
    %1 = cast(%0) {dtype=f16}
    return %1
  })ir");
  expect_kept(R"ir(graph g {
    %x = input "x" : i32[4,3]
    %w = state "w" : i32[3,2]
    %0 = matmul(%x, %w)
    %1 = abs(%0)
    return %1
  })ir");
  expect_kept(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %0 = matmul(%x, %w)
    %1 = abs(%0)
    return %1, %0
  })ir");
}

TEST(FuseEpilogue, TakesAtMostFourExtras) {
  Graph graph = parse_graph(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %a = input "a" : f32[2]
    %b = input "b" : f32[2]
    %c = input "c" : f32[2]
    %d = input "d" : f32[2]
    %e = input "e" : f32[2]
    %0 = matmul(%x, %w)
    %1 = add(%0, %a)
    %2 = add(%1, %b)
    %3 = add(%2, %c)
    %4 = add(%3, %d)
    %5 = add(%4, %e)
    return %5
  })ir");
  passes::fuse_epilogue(graph, testing::target_without({}));
  verify(graph, "fuse_epilogue");
  ASSERT_EQ(graph.nodes().size(), 2u);
  EXPECT_EQ(graph.nodes()[0].inputs.size(), 6u);
  EXPECT_EQ(graph.nodes()[1].op->name, "add");
}

TEST(FuseEpilogue, IsLeftOutWithoutFusion) {
  PassTarget target = testing::target_without({});
  target.fuse = false;
  const char* text = R"ir(graph g {
    %x = input "x" : f32[4,3]
    %w = state "w" : f32[3,2]
    %0 = matmul(%x, %w)
    %1 = relu(%0)
    return %1
  })ir";
  testing::expect_rewrite(passes::fuse_epilogue, text, text, target);
}

}  // namespace
}  // namespace addax
