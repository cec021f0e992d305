#pragma once

#include <cstddef>

namespace addax::cpu {

// What a thread's scratch memory is used for; each use has memory of its own, so that a kernel may
// call another one.
enum class Scratch { Panel, Gather, Tape, Rows, Images, kCount };

// At least `bytes` bytes that belong to the calling thread until it asks again for the same use,
// aligned to 64 bytes, contents undefined. Kept until the thread ends, and then for the next to
// begin: a run of steps has a thread of its own. Throws OutOfMemoryError.
void* thread_scratch_bytes(Scratch use, std::size_t bytes);

template <class T>
T* thread_scratch(Scratch use, std::size_t count) {
  return static_cast<T*>(thread_scratch_bytes(use, count * sizeof(T)));
}

}  // namespace addax::cpu
