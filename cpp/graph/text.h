#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace addax {

// The IR as text; equal graphs print equally and `parse_graph(to_text(g))` prints the same again.
//
//   graph train_step {
//     %0 = input "x" : f32[32,784]
//     %1 = state "dense/kernel" : f32[784,128] -> %5
//     %2 = matmul(%0, %1) {transpose_a=false, transpose_b=false} : f32[32,128]  # dense
//     %3, %4 = dropout(%2, %9) {rate=0.5} : f32[32,128], i64[2]
//     return %2, %3
//   }
//
// "-> %5" names a state's next value and is absent when the state is only read. Small literals
// print as numbers, larger ones as base64 of their bytes.
std::string to_text(const Graph& graph);

// Throws InvalidArgumentError with line and column.
Graph parse_graph(std::string_view text);

// Graphviz source of the same.
std::string to_dot(const Graph& graph);

}  // namespace addax
