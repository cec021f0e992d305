#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "graph/text.h"
#include "graph/verifier.h"
#include "passes/pass.h"

namespace addax::testing {

// A device that takes every node but those named.
inline PassTarget target_without(std::vector<std::string> refused) {
  PassTarget target;
  target.supports = [refused = std::move(refused)](const Graph& graph) {
    std::vector<bool> mask;
    for (const Node& node : graph.nodes()) {
      mask.push_back(std::find(refused.begin(), refused.end(), node.op->name) == refused.end());
    }
    return mask;
  };
  return target;
}

// Runs a pass on one text and compares with another; both leave out what may be left out.
inline void expect_rewrite(void (*pass)(Graph&, const PassTarget&), std::string_view before,
                           std::string_view after, const PassTarget& target = target_without({})) {
  Graph graph = parse_graph(before);
  pass(graph, target);
  verify(graph, "the pass under test");
  EXPECT_EQ(to_text(graph), to_text(parse_graph(after)));
}

}  // namespace addax::testing
