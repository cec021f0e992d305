#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace addax::cpu {

// What a thread's scratch memory is used for; each use has memory of its own, so that a kernel may
// call another one.
enum class Scratch { Panel, Gather, Tape, Rows, Images, kCount };

inline constexpr std::size_t kScratchUses = static_cast<std::size_t>(Scratch::kCount);

// At least `bytes` bytes that belong to the calling thread until it asks again for the same use,
// aligned to 64 bytes, contents undefined. They come from the lease that the thread uses, else are
// its own until it ends. Throws OutOfMemoryError.
void* thread_scratch_bytes(Scratch use, std::size_t bytes);

template <class T>
T* thread_scratch(Scratch use, std::size_t count) {
  return static_cast<T*>(thread_scratch_bytes(use, count * sizeof(T)));
}

// How many bytes a thread needs at most for each use.
class ScratchNeeds {
 public:
  void add(Scratch use, int64_t bytes);
  void add(const ScratchNeeds& other);
  std::size_t operator[](Scratch use) const { return bytes_[static_cast<std::size_t>(use)]; }

 private:
  std::array<std::size_t, kScratchUses> bytes_ = {};
};

// Scratch memory for threads that work at the same time, held before they begin: what they need
// cannot be lacking in the midst of their work. Memory of leases that have ended serves the next.
class ScratchLease {
 public:
  // Throws OutOfMemoryError.
  ScratchLease(const ScratchNeeds& needs, int threads);
  ~ScratchLease();
  ScratchLease(const ScratchLease&) = delete;
  ScratchLease& operator=(const ScratchLease&) = delete;

  // The calling thread's scratch memory comes from the lease for the life of this object, of which
  // there are at most `threads` at a time.
  class Use {
   public:
    explicit Use(ScratchLease& lease);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    std::atomic<bool>* taken_;
  };

 private:
  struct Share;
  std::vector<std::unique_ptr<Share>> shares_;
};

}  // namespace addax::cpu
