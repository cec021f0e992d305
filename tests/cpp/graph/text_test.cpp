#include "graph/text.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "ops/registry.h"

namespace addax {
namespace {

constexpr const char* kStep = R"(graph train_step {
  %0 = input "x" : f32[4,3]
  %1 = state "dense/kernel" : f32[3,2] -> %6
  %2 = matmul(%0, %1) {transpose_a=false, transpose_b=false} : f32[4,2]  # dense
  %3 = matmul(%0, %2) {transpose_a=true, transpose_b=false} : f32[3,2]
  %4 = constant() {value=f32[](0.1)} : f32[]
  %5 = multiply(%3, %4) : f32[3,2]
  %6 = subtract(%1, %5) : f32[3,2]
  return %2
}
)";

TEST(Text, PrintsWhatItParsed) { EXPECT_EQ(to_text(parse_graph(kStep)), kStep); }

TEST(Text, BuildingGivesTheSameText) {
  Graph graph("train_step");
  const Value x = graph.add_input("x", {DType::Float32, {4, 3}});
  const Value w = graph.add_state("dense/kernel", {DType::Float32, {3, 2}});
  graph.set_label("dense");
  const Value y = graph.call("matmul", {x, w});
  graph.set_label({});
  const Value g = graph.call("matmul", {x, y}, {{"transpose_a", true}});
  graph.set_next(w, graph.subtract(w, graph.multiply(g, graph.scalar(0.1, DType::Float32))));
  graph.add_output(y);
  EXPECT_EQ(to_text(graph), kStep);
}

TEST(Text, AttributesMayBeLeftOutAndTypesToo) {
  const Graph graph = parse_graph(R"(
    # comments and blank lines are skipped
    graph g {
      %x = input "a \"quoted\" name" : float32[2,3]

      %y = sum(%x)  # label
      # no label
      %z = exp(%y)
      return %z
    })");
  EXPECT_EQ(to_text(graph), R"(graph g {
  %0 = input "a \"quoted\" name" : f32[2,3]
  %1 = sum(%0) {axes=[0,1], keepdims=false} : f32[]  # label
  %2 = exp(%1) : f32[]
  return %2
}
)");
}

TEST(Text, InputsMadeAfterNodesComeFirst) {
  Graph graph;
  const Value x = graph.add_input("x", {DType::Float32, {}});
  const Value y = graph.call("exp", {x});
  const Value z = graph.add_input("z", {DType::Float32, {}});
  graph.add_output(graph.add(y, z));
  const std::string text = to_text(graph);
  EXPECT_EQ(text, R"(graph main {
  %0 = input "x" : f32[]
  %1 = input "z" : f32[]
  %2 = exp(%0) : f32[]
  %3 = add(%2, %1) : f32[]
  return %3
}
)");
  EXPECT_EQ(to_text(parse_graph(text)), text);
}

Literal filled(DType dtype, Shape shape) {
  Literal literal{{dtype, shape}, {}};
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    const Literal number = scalar_literal(static_cast<double>(i) / 3 - 1, dtype);
    literal.data.insert(literal.data.end(), number.data.begin(), number.data.end());
  }
  return literal;
}

TEST(Text, LiteralsOfEveryDTypeReadBackBitForBit) {
  for (int code = 0; code < kNumDTypes; ++code) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{2, 3}, Shape{17}, Shape{5, 5}}) {
      Graph graph;
      const Literal literal = filled(static_cast<DType>(code), shape);
      graph.add_output(graph.constant(literal));
      const Graph parsed = parse_graph(to_text(graph));
      EXPECT_EQ(parsed.nodes()[0].attrs.literal("value"), literal) << to_text(graph);
    }
  }
}

TEST(Text, ExtremeNumbersReadBack) {
  Literal wide{{DType::Int64, {2}}, {}};
  for (int64_t value : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    wide.data.insert(wide.data.end(), bytes, bytes + sizeof value);
  }
  Graph graph;
  graph.add_output(graph.constant(wide));
  const double infinity = std::numeric_limits<double>::infinity();
  for (double value : {infinity, -infinity, -0.0, 5e-324, 1.7976931348623157e308}) {
    graph.add_output(graph.scalar(value, DType::Float64));
    graph.add_output(graph.scalar(value, DType::Float32));
  }
  const Graph parsed = parse_graph(to_text(graph));
  ASSERT_EQ(parsed.nodes().size(), graph.nodes().size());
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    EXPECT_EQ(parsed.nodes()[i].attrs, graph.nodes()[i].attrs);
  }
}

struct BadText {
  const char* text;
  const char* message;
};

TEST(Text, ErrorsNameLineAndColumn) {
  const BadText cases[] = {
      {"grap g {}", "line 1, column 1: expected 'graph'"},
      {"graph g {\n  %0 = input \"x\" : f31[2]\n}", "line 2, column 20: there is no dtype 'f31'"},
      {"graph g {\n  %1 = exp(%0)\n}", "line 2, column 14: there is no value %0"},
      {"graph g {\n  %0 = input \"x\" : f32[2]\n  %0 = exp(%0)\n}", "%0 is defined twice"},
      {"graph g {\n  %0 = input \"x\" : f32[2]\n  %1 = xep(%0)\n}",
       "line 3, column 8: there is no op 'xep'"},
      {"graph g {\n  %0 = input \"x\" : f32[2]\n  %1 = exp(%0) : f32[3]\n}",
       "[exp] returns f32[2], not f32[3]"},
      {"graph g {\n  %0 = input \"x\" : f32[2]\n  %1, %2 = exp(%0)\n}",
       "[exp] returns 1 values, not 2"},
      {"graph g {\n  %0 = input \"x\" : i32[2]\n  %1 = exp(%0)\n}", "[exp]"},
      {"graph g {\n  %0 = state \"s\" : f32[2] -> %9\n}", "there is no value %9"},
      {"graph g {\n  %0 = constant() {value=f32[3](1, 2)}\n}", "8 bytes long"},
      {"graph g {\n  %0 = constant() {value=f32[3]\"AAA\"}\n}", "not base64"},
      {"graph g {\n  %0 = input \"x : f32[2]\n}", "the string has no end"},
      {"graph g {\n", "expected '%'"},
      {"graph g {\n} extra", "line 2, column 3: expected the end"},
  };
  for (const BadText& bad : cases) {
    try {
      parse_graph(bad.text);
      ADD_FAILURE() << bad.text;
    } catch (const InvalidArgumentError& error) {
      EXPECT_NE(std::string(error.what()).find(bad.message), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("line "), std::string::npos) << error.what();
    }
  }
}

TEST(Dot, NamesNodesStatesAndEdges) {
  const std::string dot = to_dot(parse_graph(kStep));
  for (const char* piece :
       {"digraph \"train_step\"", "label=\"matmul @ dense\"",
        "label=\"dense/kernel\", shape=cylinder", "v0 -> n0 [label=\"f32[4,3]\"",
        "n4 -> v1 [label=\"f32[3,2]\", style=dashed]", "n0 -> out0"}) {
    EXPECT_NE(dot.find(piece), std::string::npos) << piece << "\n" << dot;
  }
}

}  // namespace
}  // namespace addax
