#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace addax::cpu {

// Memory that is wanted next, by the lines of cache that hold it. A kernel fetches some beside each
// step of its own work: what would wait for memory afterwards then finds it near.
class Ahead {
 public:
  // Where a walk over the lines of some rows is. Beyond the last row it goes on, which does no
  // harm.
  struct Walk {
    const std::byte* line = nullptr;
    int64_t left = 0;   // lines of this row
    int64_t lines = 0;  // of every row
    int64_t skip = 0;   // bytes from behind a row to the next one

    void fetch() {
      __builtin_prefetch(line);
      line += kLine;
      if (--left == 0) {
        left = lines;
        line += skip;
      }
    }
  };

  // Rows that lie `stride` bytes apart. What is added beyond kMost times is left to be fetched when
  // it is used.
  void add(const void* begin, int64_t row_bytes, int64_t rows = 1, int64_t stride = 0) {
    if (count_ == kMost || row_bytes <= 0) return;
    const int64_t lines = (row_bytes + kLine - 1) / kLine;
    parts_[count_++] = {
        {static_cast<const std::byte*>(begin), lines, lines, stride - lines * kLine}, lines * rows};
  }

  bool is_done() const { return begun_ == count_; }
  const Walk& walk() const { return parts_[begun_].walk; }
  // The walk that `walk()` was has fetched so many lines.
  void went_to(const Walk& walk, int64_t lines) {
    Part& part = parts_[begun_];
    part.walk = walk;
    part.left -= lines;
    if (part.left <= 0) ++begun_;
  }

 private:
  static constexpr int64_t kLine = 64;
  static constexpr std::size_t kMost = 9;
  struct Part {
    Walk walk;
    int64_t left = 0;  // lines of all its rows
  };

  std::array<Part, kMost> parts_;
  std::size_t count_ = 0;
  std::size_t begun_ = 0;
};

}  // namespace addax::cpu
