#include "runtime/partition.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "graph/text.h"

namespace addax {
namespace {

// "device: matmul add | host: tanh".
std::string segments_of(const char* text, const std::set<std::string>& on_host,
                        bool overlap = false) {
  const Graph graph = parse_graph(text);
  std::vector<bool> mask;
  for (const Node& node : graph.nodes()) mask.push_back(on_host.contains(node.op->name));
  std::string result;
  for (const Segment& segment : partition(graph, mask, overlap)) {
    result += (result.empty() ? "" : " | ") + std::string(segment.on_host ? "host:" : "device:");
    for (const NodeId id : segment.nodes) {
      result += " " + graph.nodes()[static_cast<size_t>(id)].op->name;
    }
  }
  return result;
}

constexpr const char* kBranches = R"(graph branches {
  %x = input "x" : f32[4]
  %a = exp(%x)
  %b = tanh(%a)
  %c = abs(%x)
  %v = reshape(%b) {shape=[2,2]}
  %w = reshape(%c) {shape=[2,2]}
  %d = add(%v, %w)
  return %d
})";

TEST(Partition, RunsWhatIsReadyBeforeTheOtherTakesOver) {
  EXPECT_EQ(segments_of(kBranches, {}), "device: exp tanh abs add");
  EXPECT_EQ(segments_of(kBranches, {"tanh"}), "device: exp abs | host: tanh | device: add");
  EXPECT_EQ(segments_of(kBranches, {"exp", "abs"}), "host: exp abs | device: tanh add");
  EXPECT_EQ(segments_of(kBranches, {"exp", "tanh", "abs", "add"}), "host: exp tanh abs add");
}

TEST(Partition, LetsTheHostBeginFirstWhereThatIsShorter) {
  EXPECT_EQ(segments_of(kBranches, {"exp"}), "host: exp | device: tanh abs add");
}

TEST(Partition, PutsWhatTheHostWaitsForFirst) {
  EXPECT_EQ(segments_of(kBranches, {"tanh"}, true),
            "device: exp | device: abs | host: tanh | device: add");
  EXPECT_EQ(segments_of(kBranches, {"exp"}, true), "host: exp | device: tanh abs add");
}

TEST(Partition, OverwritesAStateAfterThoseWhoReadTheOldValue) {
  constexpr const char* kState = R"(graph state {
    %s = state "s" : f32[4] -> %n
    %x = input "x" : f32[4]
    %r = tanh(%s)
    %n = add(%s, %x)
    return %r
  })";
  EXPECT_EQ(segments_of(kState, {"tanh"}), "host: tanh | device: add");
  EXPECT_EQ(segments_of(kState, {"add"}), "device: tanh | host: add");
}

}  // namespace
}  // namespace addax
