#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "graph/graph.h"

namespace addax {

// The graph for another number of samples, where it only draws from them: the first `drawn` inputs
// have an element for each along their first axis, from which nothing but `take` reads, and
// `batch_indices` counts them. Nothing where the graph does anything else with one of those inputs,
// or draws more at a time than there would be. No other attribute or constant may follow from their
// number.
std::optional<Graph> with_samples(Graph graph, size_t drawn, int64_t samples);

}  // namespace addax
