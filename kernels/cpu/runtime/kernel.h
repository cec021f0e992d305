#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cpu/lowering/node.h"
#include "cpu/runtime/scratch.h"
#include "cpu/runtime/stages.h"

namespace addax::cpu {

// The value check that failed in the running step. Chunks of one kernel report in any order; the
// smallest index is kept, so that what is reported does not depend on threads.
class CheckFailure {
 public:
  void report(int64_t index, double value);
  bool failed() const { return failed_.load(std::memory_order_relaxed); }
  int64_t index() const { return index_; }
  double value() const { return value_; }
  void clear();

 private:
  std::atomic<bool> failed_ = false;
  std::atomic_flag lock_;
  int64_t index_ = 0;
  double value_ = 0;
};

// A tensor of which a thread has the images of its present chunk only, and the address that the
// tensor would have around them.
struct LocalTensor {
  int32_t id = -1;
  void* data = nullptr;
};

// What a kernel works on in one run of a program.
struct RunContext {
  void* const* tensors;  // address of each tensor of the graph
  std::byte* workspace;  // Kernel::workspace_bytes() bytes, aligned to kWorkspaceAlignment
  CheckFailure* failure;
  LocalTensor local = {};  // lies here, not where `tensors` says

  template <class T>
  T* data(const Tensor& tensor) const {
    return data<T>(tensor.id);
  }
  template <class T>
  T* data(int32_t tensor) const {
    return static_cast<T*>(tensor == local.id ? local.data : tensors[tensor]);
  }
};

// What profiles call a kernel.
struct Title {
  std::string op;
  std::string label;
};
Title title_of(const Node& node);
// Of two that run as one.
Title joint_title(const Title& first, const Title& second);

// A node, compiled. Stages run in order; the chunks of a stage in any order and on any thread, so a
// chunk writes only what is its own. Kernels keep tensors' ids, never the graph's memory. `run` may
// throw OutOfMemoryError for lack of scratch memory and nothing else.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void run(const RunContext& context, size_t stage, int64_t chunk) const = 0;

  const std::vector<Stage>& stages() const { return stages_; }
  size_t workspace_bytes() const { return workspace_bytes_; }
  // Whether stages that go by images touch the tensor image by image, and no other stage does.
  bool has_images(const Tensor& tensor) const {
    return std::find(image_tensors_.begin(), image_tensors_.end(), tensor.id) !=
           image_tensors_.end();
  }
  // Bytes that a run reads and writes, for profiles; negative: all of the node's tensors.
  double bytes() const { return bytes_; }
  // What each thread needs while it runs chunks.
  const ScratchNeeds& scratch() const { return scratch_; }
  // Earlier nodes whose work the kernel does as well, so that they need none of their own.
  const std::vector<int32_t>& absorbed() const { return absorbed_; }
  // Where it is not its node's.
  const std::optional<Title>& title() const { return title_; }

 protected:
  void add_stage(int64_t chunks, double cost) { stages_.push_back({chunks, cost}); }

  std::vector<Stage> stages_;
  std::vector<int32_t> image_tensors_;
  size_t workspace_bytes_ = 0;
  double bytes_ = -1;
  ScratchNeeds scratch_;
  std::vector<int32_t> absorbed_;
  std::optional<Title> title_;
};

using KernelPtr = std::unique_ptr<Kernel>;

// The number of chunks for `work` units of which a chunk should have about `grain`: a power of two,
// which divides well among threads, fixed by the shape alone. At least one.
inline int64_t chunks_for(int64_t work, int64_t grain, int64_t most = 256) {
  const int64_t wanted = std::max<int64_t>((work + grain - 1) / grain, 1);
  return std::min(static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(wanted))), most);
}

// Bytes of cache traffic as Stage::cost counts them.
inline double bytes_cost(int64_t bytes) { return kFlopsPerByte * static_cast<double>(bytes); }

}  // namespace addax::cpu
