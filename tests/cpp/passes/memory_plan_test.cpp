#include "passes/memory_plan.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "core/error.h"
#include "graph/text.h"
#include "graph/verifier.h"
#include "passes/aliasing.h"
#include "passes/pass_fixture.h"
#include "passes/pipeline.h"
#include "passes/random_graph.h"

namespace addax {
namespace {

using testing::RandomGraph;
using testing::target_without;

// What memory holds, as a hash of how it was computed. Views and copies hold what they are made of.
using Content = size_t;

Content mix(Content a, Content b) { return a * 0x100000001b3u ^ (b + 0x9e3779b97f4a7c15u); }

Content result_of(const Node& node, const std::vector<Content>& operands, size_t output) {
  if (node.op->name == "reshape" || node.op->name == "copy") return operands[0];
  Content content = std::hash<std::string>()(node.op->name + node.attrs.to_string());
  for (Content operand : operands) content = mix(content, operand);
  return mix(content, output);
}

struct World {
  std::vector<Content> inputs;
  std::vector<Content> states;
  std::vector<Content> outputs;
};

World initial(const Graph& graph) {
  World world;
  for (size_t i = 0; i < graph.inputs().size(); ++i) world.inputs.push_back(mix(1, i));
  for (size_t i = 0; i < graph.states().size(); ++i) world.states.push_back(mix(2, i));
  return world;
}

// One step by the meaning of the graph, without any memory.
void step_by_meaning(const Graph& graph, World& world) {
  std::vector<Content> values(static_cast<size_t>(graph.num_values()));
  const auto at = [&](Value value) -> Content& { return values[static_cast<size_t>(value.id)]; };
  for (size_t i = 0; i < world.inputs.size(); ++i) at(graph.inputs()[i]) = world.inputs[i];
  for (size_t i = 0; i < world.states.size(); ++i) at(graph.states()[i].value) = world.states[i];
  for (const Node& node : graph.nodes()) {
    std::vector<Content> operands;
    for (Value input : node.inputs) operands.push_back(at(input));
    for (size_t k = 0; k < node.outputs.size(); ++k) {
      at(node.outputs[k]) = result_of(node, operands, k);
    }
  }
  world.outputs.clear();
  for (Value output : graph.outputs()) world.outputs.push_back(at(output));
  for (size_t i = 0; i < world.states.size(); ++i) world.states[i] = at(graph.states()[i].next);
}

// Executes a plan over buffers that remember which bytes hold what.
class Machine {
 public:
  Machine(const Graph& graph, const MemoryPlan& plan)
      : graph_(graph), plan_(plan), aliases_(graph) {}

  void step(World& world) {
    for (size_t i = 0; i < world.inputs.size(); ++i) write(graph_.inputs()[i], world.inputs[i]);
    for (size_t i = 0; i < world.states.size(); ++i) {
      write(graph_.states()[i].value, world.states[i]);
    }
    for (const Node& node : graph_.nodes()) {
      if (is_constant(node)) write(node.outputs[0], result_of(node, {}, 0));
    }
    for (const Node& node : graph_.nodes()) {
      if (!is_view(node) && !is_constant(node)) execute(node);
    }
    world.outputs.clear();
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const Placement& place = placement(graph_.outputs()[i]);
      EXPECT_EQ(place, (Placement{Placement::Kind::Output, static_cast<int32_t>(i), 0}));
      world.outputs.push_back(read(graph_.outputs()[i]));
    }
    // The state's buffer, whatever the plan says of the next value.
    for (size_t i = 0; i < world.states.size(); ++i) {
      world.states[i] = read(graph_.states()[i].value);
    }
  }

 private:
  using Buffer = std::pair<Placement::Kind, int32_t>;
  struct Range {
    uint64_t end;
    Content content;
  };

  const Placement& placement(Value value) const {
    return plan_.values[static_cast<size_t>(value.id)];
  }
  static Buffer buffer(const Placement& place) { return {place.kind, place.index}; }
  uint64_t bytes(Value value) const { return graph_.type(value).bytes(); }

  bool overlap(Value a, Value b) const {
    const Placement& p = placement(a);
    const Placement& q = placement(b);
    return buffer(p) == buffer(q) && p.offset < q.offset + bytes(b) &&
           q.offset < p.offset + bytes(a);
  }

  Content read(Value value) const {
    const Placement& place = placement(value);
    const auto ranges = memory_.find(buffer(place));
    if (ranges == memory_.end()) return 0;
    const auto range = ranges->second.find(place.offset);
    const bool whole =
        range != ranges->second.end() && range->second.end == place.offset + bytes(value);
    return whole ? range->second.content : 0;
  }

  void write(Value value, Content content) {
    const Placement& place = placement(value);
    std::map<uint64_t, Range>& ranges = memory_[buffer(place)];
    const uint64_t end = place.offset + bytes(value);
    for (auto range = ranges.begin(); range != ranges.end();) {
      const bool overwritten = range->first < end && place.offset < range->second.end;
      range = overwritten ? ranges.erase(range) : std::next(range);
    }
    ranges[place.offset] = {end, content};
    if (place.kind == Placement::Kind::Arena) {
      EXPECT_LE(end, plan_.arena_bytes);
      EXPECT_EQ(place.offset % 64, 0u);
    }
  }

  void execute(const Node& node) {
    std::vector<Content> operands;
    for (Value input : node.inputs) operands.push_back(read(input));
    for (size_t k = 0; k < node.outputs.size(); ++k) {
      const Value output = node.outputs[k];
      for (Value input : node.inputs) {
        if (!overlap(output, input)) continue;
        EXPECT_EQ(placement(output), placement(input));
        EXPECT_TRUE(aliases_.may_overwrite(node, static_cast<int>(k), aliases_.root(input)))
            << node.op->name;
      }
      for (size_t j = 0; j < k; ++j) EXPECT_FALSE(overlap(output, node.outputs[j]));
    }
    for (size_t k = 0; k < node.outputs.size(); ++k) {
      write(node.outputs[k], result_of(node, operands, k));
    }
  }

  const Graph& graph_;
  const MemoryPlan& plan_;
  Aliases aliases_;
  std::map<Buffer, std::map<uint64_t, Range>> memory_;
};

int count_copies(const Graph& graph) {
  return static_cast<int>(std::count_if(graph.nodes().begin(), graph.nodes().end(),
                                        [](const Node& n) { return n.op->name == "copy"; }));
}

// Materializes, plans, and compares three steps over the planned memory with their meaning.
Graph check_plan(Graph graph) {
  const Graph meaning = graph;
  passes::materialize(graph, target_without({}));
  verify(graph, "materialize");
  const MemoryPlan plan = plan_memory(graph, 64);
  Machine machine(graph, plan);
  World expected = initial(meaning);
  World actual = expected;
  for (int step = 0; step < 3; ++step) {
    step_by_meaning(meaning, expected);
    machine.step(actual);
    EXPECT_EQ(actual.outputs, expected.outputs) << "step " << step;
    EXPECT_EQ(actual.states, expected.states) << "step " << step;
  }
  if (::testing::Test::HasFailure()) {
    ADD_FAILURE() << to_text(meaning) << to_text(graph);
  }
  // What is materialized stays as it is.
  const std::string text = to_text(graph);
  passes::materialize(graph, target_without({}));
  EXPECT_EQ(to_text(graph), text);
  return graph;
}

Graph check_text(const char* text) { return check_plan(parse_graph(text)); }

TEST(MemoryPlan, UpdatesStatesInPlace) {
  const Graph graph = check_text(R"(graph g {
    %g = input "g" : f32[4]
    %w = state "w" : f32[4] -> %n
    %n = subtract(%w, %g)
    return %n
  })");
  EXPECT_EQ(count_copies(graph), 1);  // the output
  EXPECT_EQ(plan_memory(graph, 64).arena_bytes, 0u);
}

TEST(MemoryPlan, ReadsOldValuesBeforeTheyAreOverwritten) {
  // The reader comes after the update in the text and is moved before it.
  const Graph graph = check_text(R"(graph g {
    %g = input "g" : f32[4]
    %w = state "w" : f32[4] -> %n
    %n = subtract(%w, %g)
    %y = exp(%w)
    return %y
  })");
  EXPECT_EQ(count_copies(graph), 0);
  EXPECT_EQ(graph.nodes()[0].op->name, "exp");
}

TEST(MemoryPlan, CopiesWhenOldAndNewValueAreBothNeeded) {
  const Graph graph = check_text(R"(graph g {
    %g = input "g" : f32[4]
    %w = state "w" : f32[4] -> %n
    %n = subtract(%w, %g)
    %e = exp(%n)
    %y = multiply(%e, %w)
    return %y
  })");
  EXPECT_EQ(count_copies(graph), 1);
}

TEST(MemoryPlan, SwapsStates) {
  check_text(R"(graph g {
    %a = state "a" : f32[4] -> %b
    %b = state "b" : f32[4] -> %a
  })");
  check_text(R"(graph g {
    %a = state "a" : f32[4] -> %b
    %b = state "b" : f32[4] -> %c
    %c = state "c" : f32[4] -> %a
    %y = exp(%b)
    return %y, %a
  })");
}

TEST(MemoryPlan, ShiftsAStateIntoAnother) {
  check_text(R"(graph g {
    %x = input "x" : f32[4]
    %old = state "old" : f32[4] -> %now
    %now = state "now" : f32[4] -> %n
    %n = add(%now, %x)
    %y = subtract(%n, %old)
    return %y
  })");
}

TEST(MemoryPlan, OutputsThatAreInputsStatesConstantsAndEachOther) {
  const Graph graph = check_text(R"(graph g {
    %x = input "x" : f32[4]
    %s = state "s" : f32[4] -> %n
    %c = constant() {value=f32[4](1, 2, 3, 4)}
    %n = add(%s, %x)
    %y = exp(%x)
    %v = reshape(%y) {shape=[2,2]}
    return %x, %s, %c, %y, %y, %v, %n
  })");
  EXPECT_EQ(count_copies(graph), 6);
}

TEST(MemoryPlan, StatesThatTakeInputsConstantsAndSharedValues) {
  check_text(R"(graph g {
    %x = input "x" : f32[4]
    %a = state "a" : f32[4] -> %x
    %b = state "b" : f32[4] -> %c
    %d = state "d" : f32[4] -> %n
    %e = state "e" : f32[4] -> %n
    %c = constant() {value=f32[4](1, 2, 3, 4)}
    %t = add(%a, %b)
    %n = add(%t, %e)
    return %n
  })");
}

TEST(MemoryPlan, UpdatesThroughViews) {
  const Graph graph = check_text(R"(graph g {
    %g = input "g" : f32[2,2]
    %w = state "w" : f32[4] -> %n
    %v = reshape(%w) {shape=[2,2]}
    %u = subtract(%v, %g)
    %n = reshape(%u) {shape=[4]}
  })");
  EXPECT_EQ(count_copies(graph), 0);
}

TEST(MemoryPlan, AStateThatOnlyLooksNewIsLeftAlone) {
  const Graph graph = check_text(R"(graph g {
    %w = state "w" : f32[4] -> %n
    %v = reshape(%w) {shape=[2,2]}
    %n = reshape(%v) {shape=[4]}
  })");
  EXPECT_EQ(count_copies(graph), 0);
}

TEST(MemoryPlan, DoesNotOverwriteBroadcastOrReducedOperands) {
  // Each element of %w is read for many of the result, or for sums that come later.
  EXPECT_EQ(count_copies(check_text(R"(graph g {
    %x = input "x" : f32[4,4]
    %w = state "w" : f32[4,4] -> %n
    %n = matmul(%w, %x)
  })")),
            1);
  EXPECT_EQ(count_copies(check_text(R"(graph g {
    %w = state "w" : f32[4] -> %n
    %n, %s = fused(%w) {expr="t = exp(i0); t, t", shape=[4], compute=f32, dtypes=[7,7], reduce="none,sum", axes=[0]}
    return %s
  })")),
            1);
  EXPECT_EQ(count_copies(check_text(R"(graph g {
    %w = state "w" : f32[2,2] -> %n
    %r = reshape(%w) {shape=[4]}
    %b = slice(%r) {begin=[0], end=[2]}
    %n = add(%w, %b)
  })")),
            0);
}

TEST(MemoryPlan, OptimizersUpdateInPlaceUnlessTheGradientIsTheParameter) {
  EXPECT_EQ(count_copies(check_text(R"(graph g {
    %lr = input "lr" : f32[]
    %g = input "g" : f32[4]
    %p = state "p" : f32[4] -> %n
    %n = sgd(%lr, %p, %g)
  })")),
            0);
  EXPECT_EQ(count_copies(check_text(R"(graph g {
    %lr = input "lr" : f32[]
    %p = state "p" : f32[4] -> %n
    %n = sgd(%lr, %p, %p)
  })")),
            1);
}

TEST(MemoryPlan, ReusesTheMemoryOfDeadValues) {
  const Graph graph = check_text(R"(graph g {
    %x = input "x" : f32[16,16]
    %a = matmul(%x, %x)
    %b = matmul(%a, %x)
    %c = matmul(%b, %x)
    %d = matmul(%c, %x)
    %e = exp(%d)
    %f = exp(%e)
    %g = matmul(%f, %x)
    return %g
  })");
  EXPECT_EQ(plan_memory(graph, 64).arena_bytes, 2u * 16 * 16 * 4);
}

TEST(MemoryPlan, RefusesGraphsThatWereNotMaterialized) {
  const char* texts[] = {
      "graph g {\n %x = input \"x\" : f32[]\n return %x\n}",
      "graph g {\n %x = input \"x\" : f32[]\n %y = exp(%x)\n return %y, %y\n}",
      "graph g {\n %a = state \"a\" : f32[] -> %b\n %b = state \"b\" : f32[] -> %a\n}",
      "graph g {\n %a = state \"a\" : f32[] -> %b\n %b = exp(%a)\n %c = sin(%a)\n return %c\n}",
  };
  for (const char* text : texts) {
    EXPECT_THROW(plan_memory(parse_graph(text), 64), InternalError) << text;
  }
}

TEST(MemoryPlan, RandomGraphsReadWhatTheyShould) {
  for (unsigned seed = 0; seed < 1500 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    check_plan(RandomGraph(seed).build(static_cast<int>(seed % 40)));
  }
}

}  // namespace
}  // namespace addax
