#pragma once

#include <cstdint>

#include "runtime/function_ref.h"

namespace addax {

// Runs body(0) ... body(count - 1), in any order, on the calling thread and the helpers, and
// returns when all are done. Each participant takes a contiguous range of indices first, the same
// one from call to call, and then helps the others, so how indices meet threads is not fixed:
// results may depend on the index alone. A call made from within a body, or while another thread
// has the helpers, runs serially. `body` must not throw. Denormals are flushed while bodies run.
void parallel_for(int64_t count, FunctionRef<void(int64_t)> body);
void parallel_for(int64_t count, void (*body)(void* context, int64_t index), void* context);

// How many threads work on a region, the caller included. At first ADDAX_NUM_THREADS, or else the
// processors that this process may run on. 1 in a child process forked from one with helpers: there
// everything runs serially. Setting it must not happen inside a body; InvalidArgumentError when n
// is not within [1, kMaxThreads].
inline constexpr int kMaxThreads = 256;
int num_threads();
void set_num_threads(int n);

}  // namespace addax
