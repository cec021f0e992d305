#pragma once

#include "opencl/map_reduce/loop_source.h"

namespace addax::opencl {

// The launches of a loop that folds: a pass over its domain, and further ones over the results of
// the splits while there are several.
void add_reduction(Lowering& to, const LoopSource& source);

}  // namespace addax::opencl
