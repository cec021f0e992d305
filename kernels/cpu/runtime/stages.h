#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace addax::cpu {

// Work as data. A plan's stages run one after another; the chunks of a stage are independent, and
// may run in any order on any thread. Chunks are fixed by the shape alone, and with them the bits
// of the result. Neighbouring chunks touch neighbouring rows of a weight, so a caller that gives
// each thread a contiguous range of chunks keeps a weight's rows with one core across kernels.
struct Stage {
  int64_t chunks = 0;
  // Work of the whole stage in floating-point operations, with the bytes moved converted at the
  // rate of one core. Below kSerialCost a parallel region costs more than it saves.
  double cost = 0;
  // Each chunk takes an equal share of the images of a batch: of the tensors that have an element
  // for each image it touches the images of its share only, and of others it writes none.
  bool by_images = false;
};

// About three microseconds of one core.
inline constexpr double kSerialCost = 600e3;

// Floating-point operations that one core does in the time that a byte takes from a cache beyond
// L2.
inline constexpr double kFlopsPerByte = 4;

// Alignment in bytes that every workspace must have.
inline constexpr std::size_t kWorkspaceAlignment = 64;

// Bytes that leave what follows them in a workspace aligned.
inline std::size_t aligned(std::size_t bytes) {
  return (bytes + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment;
}

// Rows [begin, end) of chunk `index` out of `chunks` when `count` units are dealt out evenly.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
};
inline Range even_share(int64_t count, int64_t chunks, int64_t index) {
  return {count * index / chunks, count * (index + 1) / chunks};
}

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Whether so many chunks take equal shares of `count` units.
inline bool divides(int64_t chunks, int64_t count) { return chunks > 0 && count % chunks == 0; }

// The largest power of two up to x, at least 1. Numbers of chunks are powers of two because these
// nest: the chunks of an op and those of its gradient then share boundaries.
inline int64_t floor_pow2(double x) {
  return x < 2 ? 1 : static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(x)));
}

// More chunks than this cost overhead and gain no balance.
inline constexpr double kMaxChunks = 64;

// But images of more bytes than this do not stay in a core's L2 for a stage that comes next.
inline constexpr double kChunkBytes = 256 << 10;

// How many chunks at most, each a share of images of so many bytes together.
inline double most_image_chunks(double bytes) { return std::max(kMaxChunks, bytes / kChunkBytes); }

// Runs a whole plan on the calling thread. `workspace` has plan.workspace_bytes() bytes.
template <class Plan, class Args>
void run_serially(const Plan& plan, const Args& args, void* workspace) {
  for (std::size_t stage = 0; stage < plan.stages().size(); ++stage) {
    for (int64_t chunk = 0; chunk < plan.stages()[stage].chunks; ++chunk) {
      plan.run(args, stage, chunk, workspace);
    }
  }
}

}  // namespace addax::cpu
