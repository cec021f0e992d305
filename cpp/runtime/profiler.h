#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace addax {

// One executed kernel.
struct Span {
  std::string op;
  std::string label;
  uint64_t begin_ns = 0;  // steady clock
  uint64_t end_ns = 0;
  double flops = 0;
  double bytes = 0;
  uint64_t thread = 0;  // small number of the thread that recorded it
};

// Collects spans of the whole process between start and stop. Thread-safe.
class Profiler {
 public:
  static Profiler& instance();

  // Forgets what was recorded before.
  void start();
  std::vector<Span> stop();
  bool is_recording() const { return recording_.load(std::memory_order_relaxed); }
  void record(Span span);

 private:
  std::atomic<bool> recording_{false};
  std::mutex mutex_;
  std::vector<Span> spans_;
};

// Text table: one row per op and label, the most time first, with calls, total and mean time,
// share, GFLOP/s and GB/s.
std::string profile_table(std::span<const Span> spans);

// JSON for chrome://tracing and Perfetto.
std::string chrome_trace(std::span<const Span> spans);

}  // namespace addax
