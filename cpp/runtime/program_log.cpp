#include "runtime/program_log.h"

#include <cstdio>
#include <span>

#include "core/env.h"
#include "passes/aliasing.h"
#include "runtime/flatten.h"

namespace addax {
namespace {

void log_plan(const Graph& graph, const MemoryPlan& plan) {
  constexpr const char* kKinds[] = {"arena", "input", "state", "output", "constant"};
  env::log("plan", graph.name() + ": arena of " + std::to_string(plan.arena_bytes) + " bytes");
  for (int32_t id = 0; id < graph.num_values(); ++id) {
    const Placement& place = plan.values[static_cast<size_t>(id)];
    const bool in_arena = place.kind == Placement::Kind::Arena;
    env::log("plan", "  %" + std::to_string(id) + " " + graph.type({id}).to_string() + " in " +
                         kKinds[static_cast<size_t>(place.kind)] + " at " +
                         (in_arena ? std::to_string(place.offset) : std::to_string(place.index)));
  }
}

std::string types_text(const Graph& graph, std::span<const Value> values) {
  std::string text;
  for (const Value value : values) {
    text += (text.empty() ? "" : ", ") + graph.type(value).to_string();
  }
  return text;
}

void log_kernels(const Graph& graph, const std::string& device) {
  env::log("kernels", graph.name() + " on " + device);
  for (const Node& node : graph.nodes()) {
    if (is_view(node) || is_constant(node)) continue;
    char flops[32];
    std::snprintf(flops, sizeof flops, "%.3g", node_flops(graph, node));
    env::log("kernels", "  " + node.op->name + "(" + types_text(graph, node.inputs) + ") -> " +
                            types_text(graph, node.outputs) + ", " + flops + " flops" +
                            (node.label.empty() ? "" : "  # " + node.label));
  }
}

}  // namespace

void log_program(const Graph& graph, const MemoryPlan& plan, const std::string& device) {
  if (env::log_enabled("plan")) log_plan(graph, plan);
  if (env::log_enabled("kernels")) log_kernels(graph, device);
}

}  // namespace addax
