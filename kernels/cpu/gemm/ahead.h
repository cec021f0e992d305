#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace addax::cpu {

// Memory that is wanted next. A kernel fetches it into the cache line by line, beside its own work:
// what would wait for memory afterwards then finds it near.
class Ahead {
 public:
  static constexpr int64_t kLine = 64;

  // Stretches beyond kMost are left to be fetched when they are used.
  void add(const void* begin, int64_t bytes) {
    if (count_ == kMost) return;
    const auto* first = static_cast<const std::byte*>(begin);
    stretches_[count_++] = {first, first + bytes};
  }

  // The line to go on with, null when all are fetched.
  const std::byte* next() const { return begun_ < count_ ? stretches_[begun_].next : nullptr; }
  // The lines before this one, from next() on, are fetched; those behind a stretch do no harm.
  void fetched(const std::byte* line) {
    stretches_[begun_].next = line;
    if (line >= stretches_[begun_].end) ++begun_;
  }

 private:
  struct Stretch {
    const std::byte* next;
    const std::byte* end;
  };
  static constexpr std::size_t kMost = 4;

  std::array<Stretch, kMost> stretches_ = {};
  std::size_t count_ = 0;
  std::size_t begun_ = 0;
};

}  // namespace addax::cpu
