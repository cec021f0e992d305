#include "runtime/profiler.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <map>
#include <utility>

namespace addax {
namespace {

uint64_t thread_number() {
  static std::atomic<uint64_t> threads{0};
  thread_local const uint64_t number = threads.fetch_add(1, std::memory_order_relaxed);
  return number;
}

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
  std::array<char, 256> text{};
  va_list args;
  va_start(args, pattern);
  std::vsnprintf(text.data(), text.size(), pattern, args);
  va_end(args);
  return text.data();
}

std::string json_string(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += format("\\u%04x", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

struct Row {
  std::string op;
  std::string label;
  int64_t calls = 0;
  double seconds = 0;
  double flops = 0;
  double bytes = 0;
};

std::vector<Row> rows_of(std::span<const Span> spans) {
  std::map<std::pair<std::string, std::string>, Row> rows;
  for (const Span& span : spans) {
    Row& row = rows[{span.op, span.label}];
    row.op = span.op;
    row.label = span.label;
    ++row.calls;
    row.seconds += static_cast<double>(span.end_ns - span.begin_ns) * 1e-9;
    row.flops += span.flops;
    row.bytes += span.bytes;
  }
  std::vector<Row> sorted;
  for (auto& [key, row] : rows) sorted.push_back(std::move(row));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Row& a, const Row& b) { return a.seconds > b.seconds; });
  return sorted;
}

}  // namespace

Profiler& Profiler::instance() {
  static Profiler profiler;
  return profiler;
}

void Profiler::start() {
  const std::lock_guard lock(mutex_);
  spans_.clear();
  recording_.store(true, std::memory_order_relaxed);
}

std::vector<Span> Profiler::stop() {
  const std::lock_guard lock(mutex_);
  recording_.store(false, std::memory_order_relaxed);
  return std::exchange(spans_, {});
}

void Profiler::record(Span span) {
  span.thread = thread_number();
  const std::lock_guard lock(mutex_);
  if (is_recording()) spans_.push_back(std::move(span));
}

std::string profile_table(std::span<const Span> spans) {
  const std::vector<Row> rows = rows_of(spans);
  double total = 0;
  size_t width = 2;
  for (const Row& row : rows) {
    total += row.seconds;
    width = std::max(width, row.op.size() + (row.label.empty() ? 0 : row.label.size() + 3));
  }
  const std::string gap(width, ' ');
  std::string table =
      "op" + gap.substr(2) + "     calls  total ms   mean us   share   GFLOP/s      GB/s\n";
  for (const Row& row : rows) {
    const std::string name = row.label.empty() ? row.op : row.op + " (" + row.label + ")";
    table += name + gap.substr(name.size());
    table += format("%10lld %9.3f %9.2f %6.1f%%", static_cast<long long>(row.calls),
                    row.seconds * 1e3, row.seconds * 1e6 / static_cast<double>(row.calls),
                    total > 0 ? 100 * row.seconds / total : 0.0);
    const double rate = row.seconds > 0 ? 1e-9 / row.seconds : 0;
    table += format(" %9.2f %9.2f\n", row.flops * rate, row.bytes * rate);
  }
  return table;
}

std::string chrome_trace(std::span<const Span> spans) {
  uint64_t begin = UINT64_MAX;
  for (const Span& span : spans) begin = std::min(begin, span.begin_ns);
  std::string json = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  for (size_t i = 0; i < spans.size(); ++i) {
    const Span& span = spans[i];
    json += i == 0 ? "\n" : ",\n";
    json += "{\"ph\":\"X\",\"pid\":0,\"tid\":" + std::to_string(span.thread) +
            ",\"name\":" + json_string(span.op) + ",\"cat\":\"op\"" +
            format(",\"ts\":%.3f,\"dur\":%.3f", static_cast<double>(span.begin_ns - begin) * 1e-3,
                   static_cast<double>(span.end_ns - span.begin_ns) * 1e-3) +
            ",\"args\":{\"label\":" + json_string(span.label) +
            format(",\"flops\":%.0f,\"bytes\":%.0f}}", span.flops, span.bytes);
  }
  return json + "\n]}\n";
}

}  // namespace addax
