#pragma once

#include <memory>
#include <vector>

#include "runtime/program.h"

namespace addax {

// A program of an optimized graph for `device`, of which the nodes `refused` run on `host`: the
// graph is cut into segments (partition.h), and what one computes and another reads is copied.
// Inputs, and states that only the host computes with, are copied once a run; a step's states are
// on the device again when the run ends, also by an error. Tells of it (fallback_report.h). Throws
// UnsupportedError for a node that neither device takes.
std::shared_ptr<Program> make_placed_program(std::unique_ptr<const Graph> graph,
                                             const std::vector<NodeId>& refused, Device& device,
                                             Device& host);

}  // namespace addax
