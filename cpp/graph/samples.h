#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "graph/graph.h"

namespace addax {

// The graph for another number of samples, where it only draws from them: the first `drawn` inputs
// have an element for each along their first axis, which `take` takes at the indices of
// `batch_indices`. Nothing where the graph does anything else with one of those inputs. Requires as
// many samples as are drawn at a time.
std::optional<Graph> with_samples(Graph graph, size_t drawn, int64_t samples);

}  // namespace addax
