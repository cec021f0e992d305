#include "passes/pass_fixture.h"

namespace addax {
namespace {

using testing::expect_rewrite;

void expect_fused(std::string_view before, std::string_view after) {
  expect_rewrite(passes::fuse_elementwise, before, after);
}

void expect_unchanged_but_for_singles(std::string_view before, size_t fused_nodes) {
  Graph graph = parse_graph(before);
  passes::fuse_elementwise(graph, testing::target_without({}));
  verify(graph, "fuse_elementwise");
  const auto& nodes = graph.nodes();
  EXPECT_EQ(std::count_if(nodes.begin(), nodes.end(),
                          [](const Node& node) { return node.op->name == "fused"; }),
            static_cast<std::ptrdiff_t>(fused_nodes))
      << to_text(graph);
}

TEST(FuseElementwise, AChainBecomesOneLoop) {
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %b = input "b" : f32[3]
    %c = constant() {value=f32[](0.5)}
    %0 = add(%x, %b)  # layer
    %1 = tanh(%0)
    %2 = multiply(%1, %c)
    return %2
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,3]
    %b = input "b" : f32[3]
    %y = fused(%x, %b) {expr="tanh(i0 + i1) * 0.5", shape=[4,3], compute=f32, dtypes=[7]}  # layer
    return %y
  })ir");
}

TEST(FuseElementwise, ASingleOpBecomesALoopToo) {
  expect_fused(R"ir(graph g {
    %x = input "x" : i32[3]
    %y = abs(%x)
    return %y
  })ir",
               R"ir(graph g {
    %x = input "x" : i32[3]
    %y = fused(%x) {expr="abs(i0)", shape=[3], compute=i64, dtypes=[3]}
    return %y
  })ir");
}

TEST(FuseElementwise, ValuesReadOutsideBecomeOutputs) {
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,4]
    %s = state "s" : f32[4,4] -> %1
    %0 = exp(%x)
    %1 = add(%0, %s)
    %2 = multiply(%1, %0)
    %3 = matmul(%0, %2)
    return %3
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,4]
    %s = state "s" : f32[4,4] -> %1
    %0, %1, %2 = fused(%x, %s) {expr="t0 = exp(i0); t1 = t0 + i1; t0, t1, t1 * t0", shape=[4,4], compute=f32, dtypes=[7,7,7]}
    %3 = matmul(%0, %2)
    return %3
  })ir");
}

TEST(FuseElementwise, BroadcastsAndCastsAreReadThrough) {
  expect_fused(R"ir(graph g {
    %x = input "x" : u8[4,3]
    %b = input "b" : f64[3]
    %0 = cast(%x) {dtype=f32}
    %1 = cast(%b) {dtype=f32}
    %2 = broadcast_to(%1) {shape=[4,3]}
    %3 = subtract(%0, %2)
    %4 = cast(%3) {dtype=bf16}
    return %4
  })ir",
               R"ir(graph g {
    %x = input "x" : u8[4,3]
    %b = input "b" : f64[3]
    %y = fused(%x, %b) {expr="i0 - i1", shape=[4,3], compute=f32, dtypes=[6]}
    return %y
  })ir");
}

TEST(FuseElementwise, ReductionsJoinTheLoopThatComputesTheirOperand) {
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %m = input "m" : f32[4,1]
    %0 = subtract(%x, %m)
    %1 = exp(%0)
    %2 = sum(%1) {axes=[1], keepdims=true}
    %3 = max(%0) {axes=[1]}
    return %1, %2, %3
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,3]
    %m = input "m" : f32[4,1]
    %1, %s, %3 = fused(%x, %m) {expr="t0 = i0 - i1; t1 = exp(t0); t1, t1, t0", shape=[4,3], compute=f32, dtypes=[7,7,7], reduce="none,sum,max", axes=[1]}
    %2 = reshape(%s) {shape=[4,1]}
    return %1, %2, %3
  })ir");
}

TEST(FuseElementwise, ReductionsOfOneTensorReadItTogether) {
  // Two loops over x and a sum of x itself; not the sums that come before or over other axes.
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %y = input "y" : f32[4,3]
    %z = input "z" : f32[4,3]
    %s = sum(%y) {axes=[0]}
    %0 = multiply(%x, %y)
    %1 = sum(%0) {axes=[0]}
    %2 = sum(%x) {axes=[0]}
    %3 = add(%x, %z)
    %4 = max(%3) {axes=[0]}
    %5 = sum(%x) {axes=[1]}
    %6 = subtract(%x, %s)
    %7 = sum(%6) {axes=[0]}
    return %1, %2, %4, %5, %7
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,3]
    %y = input "y" : f32[4,3]
    %z = input "z" : f32[4,3]
    %s, %1, %2, %4 = fused(%x, %y, %z) {expr="i1, i0 * i1, i0, i0 + i2", shape=[4,3], compute=f32, dtypes=[7,7,7,7], reduce="sum,sum,sum,max", axes=[0]}
    %5 = sum(%x) {axes=[1]}
    %7 = fused(%x, %s) {expr="i0 - i1", shape=[4,3], compute=f32, dtypes=[7], reduce="sum", axes=[0]}
    return %1, %2, %4, %5, %7
  })ir");
}

TEST(FuseElementwise, LeadingAxesReduceToo) {
  expect_fused(R"ir(graph g {
    %x = input "x" : f16[4,2,3]
    %0 = square(%x)
    %1 = sum(%0) {axes=[0,1]}
    return %1
  })ir",
               R"ir(graph g {
    %x = input "x" : f16[4,2,3]
    %1 = fused(%x) {expr="i0 * i0", shape=[4,2,3], compute=f32, dtypes=[5], reduce="sum", axes=[0,1]}
    return %1
  })ir");
}

TEST(FuseElementwise, OtherReductionsStayOutside) {
  // Over an axis in the middle; over other axes than the first; of truth values, counted in
  // integers.
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,2,3]
    %0 = exp(%x)
    %1 = sum(%0) {axes=[1]}
    %2 = sum(%0) {axes=[0]}
    %3 = sum(%0) {axes=[2]}
    %4 = isnan(%0)
    %5 = sum(%4) {axes=[0]}
    return %1, %2, %3, %5
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,2,3]
    %0, %4, %2 = fused(%x) {expr="t0 = exp(i0); t0, isnan(t0), t0", shape=[4,2,3], compute=f32, dtypes=[7,0,7], reduce="none,none,sum", axes=[0]}
    %1 = sum(%0) {axes=[1]}
    %3 = sum(%0) {axes=[2]}
    %5 = sum(%4) {axes=[0]}
    return %1, %2, %3, %5
  })ir");
}

TEST(FuseElementwise, NeverMakesACycle) {
  // %0 and %2 could share a loop but for the matmul between them.
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,4]
    %0 = exp(%x)
    %1 = matmul(%0, %x)
    %2 = add(%0, %1)
    return %2
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,4]
    %0 = fused(%x) {expr="exp(i0)", shape=[4,4], compute=f32, dtypes=[7]}
    %1 = matmul(%0, %x)
    %2 = fused(%0, %1) {expr="i0 + i1", shape=[4,4], compute=f32, dtypes=[7]}
    return %2
  })ir");
}

TEST(FuseElementwise, AMaskMovesToItsOnlyReader) {
  expect_fused(R"ir(graph g {
    %z = input "z" : f32[4,4]
    %d = input "d" : f32[4,4]
    %c = constant() {value=f32[](0)}
    %y = tanh(%z)
    %m = greater(%y, %c)
    %1 = matmul(%d, %y)
    %2 = where(%m, %1, %c)
    return %2
  })ir",
               R"ir(graph g {
    %z = input "z" : f32[4,4]
    %d = input "d" : f32[4,4]
    %y = fused(%z) {expr="tanh(i0)", shape=[4,4], compute=f32, dtypes=[7]}
    %1 = matmul(%d, %y)
    %2 = fused(%y, %1) {expr="where(i0 > 0, i1, 0)", shape=[4,4], compute=f32, dtypes=[7]}
    return %2
  })ir");
}

TEST(FuseElementwise, CheapValuesAreComputedAgainInsteadOfStored) {
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %m = input "m" : f32[3]
    %0 = subtract(%x, %m)
    %1 = multiply(%0, %0)
    %2 = sum(%1) {axes=[0]}
    %3 = multiply(%0, %2)
    return %3
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,3]
    %m = input "m" : f32[3]
    %2 = fused(%x, %m) {expr="t0 = i0 - i1; t0 * t0", shape=[4,3], compute=f32, dtypes=[7], reduce="sum", axes=[0]}
    %3 = fused(%x, %m, %2) {expr="(i0 - i1) * i2", shape=[4,3], compute=f32, dtypes=[7]}
    return %3
  })ir");
}

TEST(FuseElementwise, AChainOfCheapValuesIsComputedAgainInEveryLoop) {
  // What two loops read and what a third makes of it.
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %m = input "m" : f32[3]
    %0 = subtract(%x, %m)
    %1 = multiply(%0, %0)
    %2 = sum(%1) {axes=[0]}
    %3 = multiply(%0, %2)
    %4 = sum(%3) {axes=[0]}
    %5 = multiply(%3, %4)
    return %5
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4,3]
    %m = input "m" : f32[3]
    %2 = fused(%x, %m) {expr="t0 = i0 - i1; t0 * t0", shape=[4,3], compute=f32, dtypes=[7], reduce="sum", axes=[0]}
    %4 = fused(%x, %m, %2) {expr="(i0 - i1) * i2", shape=[4,3], compute=f32, dtypes=[7], reduce="sum", axes=[0]}
    %5 = fused(%x, %m, %2, %4) {expr="(i0 - i1) * i2 * i3", shape=[4,3], compute=f32, dtypes=[7]}
    return %5
  })ir");
}

TEST(FuseElementwise, DearOnesAreStored) {
  expect_unchanged_but_for_singles(R"ir(graph g {
    %x = input "x" : f32[4,3]
    %0 = exp(%x)
    %2 = sum(%0) {axes=[0]}
    %3 = divide(%0, %2)
    return %3
  })ir",
                                   2);
}

TEST(FuseElementwise, WhatStoringWouldRoundOrWrapIsStored) {
  // Each graph has two loops although all nodes have one shape.
  for (const char* lines : {
           "%0 = cast(%f) {dtype=bf16}\n %1 = cast(%0) {dtype=f32}\n",
           "%0 = cast(%f) {dtype=i64}\n %1 = cast(%0) {dtype=f32}\n",
           "%0 = cast(%d) {dtype=f32}\n %9 = negative(%0)\n %1 = cast(%9) {dtype=f64}\n",
           "%0 = add(%u, %u)\n %1 = cast(%0) {dtype=i32}\n",
           "%0 = multiply(%i, %i)\n %1 = maximum(%0, %i)\n",
           "%0 = cast(%l) {dtype=i32}\n %1 = maximum(%0, %i)\n",
       }) {
    SCOPED_TRACE(lines);
    expect_unchanged_but_for_singles(std::string(R"ir(graph g {
      %f = input "f" : f32[4]
      %d = input "d" : f64[4]
      %u = input "u" : u8[4]
      %i = input "i" : i32[4]
      %l = input "l" : i64[4]
    )ir") + lines + " return %1\n}",
                                     2);
  }
  for (const char* lines : {
           "%0 = maximum(%i, %i2)\n %1 = minimum(%0, %i)\n",
           "%0 = multiply(%l, %l)\n %1 = add(%0, %l)\n",
           "%0 = cast(%u) {dtype=i32}\n %1 = maximum(%0, %i)\n",
           "%0 = less(%f, %g)\n %1 = cast(%0) {dtype=f32}\n",
           "%0 = add(%h, %h)\n %1 = multiply(%0, %h)\n",
           "%0 = cast(%h) {dtype=f32}\n %1 = multiply(%0, %f)\n",
       }) {
    SCOPED_TRACE(lines);
    expect_unchanged_but_for_singles(std::string(R"ir(graph g {
      %f = input "f" : f32[4]
      %g = input "g" : f32[4]
      %h = input "h" : f16[4]
      %u = input "u" : u8[4]
      %i = input "i" : i32[4]
      %i2 = input "j" : i32[4]
      %l = input "l" : i64[4]
    )ir") + lines + " return %1\n}",
                                     1);
  }
}

TEST(FuseElementwise, TruthValuesJoinTheirReaders) {
  expect_fused(R"ir(graph g {
    %x = input "x" : f32[4]
    %a = input "a" : b1[4]
    %b = input "b" : b1[4]
    %c = constant() {value=f32[](0)}
    %0 = logical_and(%a, %b)
    %1 = where(%0, %x, %c)
    %2 = logical_or(%a, %b)
    return %1, %2
  })ir",
               R"ir(graph g {
    %x = input "x" : f32[4]
    %a = input "a" : b1[4]
    %b = input "b" : b1[4]
    %1 = fused(%a, %b, %x) {expr="where(logical_and(i0, i1), i2, 0)", shape=[4], compute=f32, dtypes=[7]}
    %2 = fused(%a, %b) {expr="logical_or(i0, i1)", shape=[4], compute=i64, dtypes=[0]}
    return %1, %2
  })ir");
}

TEST(FuseElementwise, GroupsStayWithinTheirLimits) {
  std::string lines;
  for (int i = 0; i < 20; ++i) {
    lines += " %i" + std::to_string(i) + " = input \"i\" : f32[4]\n";
  }
  lines += " %s0 = add(%i0, %i1)\n";
  for (int i = 1; i < 19; ++i) {
    lines += " %s" + std::to_string(i) + " = add(%s" + std::to_string(i - 1) + ", %i" +
             std::to_string(i + 1) + ")\n";
  }
  Graph graph = parse_graph("graph g {\n" + lines + " return %s18\n}");
  passes::fuse_elementwise(graph, testing::target_without({}));
  verify(graph, "fuse_elementwise");
  ASSERT_EQ(graph.nodes().size(), 2u);
  EXPECT_EQ(graph.nodes()[0].inputs.size(), 12u);
  EXPECT_EQ(graph.nodes()[1].inputs.size(), 9u);

  std::string chain = " %v0 = input \"x\" : f32[4]\n";
  for (int i = 1; i <= 100; ++i) {
    chain += " %v" + std::to_string(i) + " = sin(%v" + std::to_string(i - 1) + ")\n";
  }
  Graph longer = parse_graph("graph g {\n" + chain + " return %v100\n}");
  passes::fuse_elementwise(longer, testing::target_without({}));
  EXPECT_EQ(longer.nodes().size(), 3u);
}

TEST(FuseElementwise, WithoutFusionEachOpIsALoopOfItsOwn) {
  PassTarget target = testing::target_without({});
  target.fuse = false;
  expect_rewrite(passes::fuse_elementwise,
                 R"ir(graph g {
    %x = input "x" : f32[4]
    %0 = exp(%x)
    %1 = sin(%0)
    %2 = sum(%1)
    return %2
  })ir",
                 R"ir(graph g {
    %x = input "x" : f32[4]
    %0 = fused(%x) {expr="exp(i0)", shape=[4], compute=f32, dtypes=[7]}
    %1 = fused(%0) {expr="sin(i0)", shape=[4], compute=f32, dtypes=[7]}
    %2 = sum(%1)
    return %2
  })ir",
                 target);
}

TEST(FuseElementwise, ARefusedLoopDecomposesIntoItsOps) {
  Graph graph = parse_graph(R"ir(graph g {
    %x = input "x" : f32[4]
    %0 = silu(%x)
    return %0
  })ir");
  const PassTarget target = testing::target_without({"fused"});
  passes::fuse_elementwise(graph, target);
  passes::decompose(graph, target);
  verify(graph, "decompose");
  EXPECT_EQ(to_text(graph), to_text(parse_graph(R"ir(graph g {
    %x = input "x" : f32[4]
    %0 = constant() {value=f32[](1)}
    %1 = negative(%x)
    %2 = exp(%1)
    %3 = add(%0, %2)
    %4 = divide(%x, %3)
    return %4
  })ir")))
      << to_text(graph);
}

}  // namespace
}  // namespace addax
