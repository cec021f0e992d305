#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "device/conformance.h"
#include "device/conformance_graph.h"

namespace addax {
namespace {

using namespace conformance;

using Floats = std::vector<float>;

template <class T>
uint64_t bytes_of(const std::vector<T>& values) {
  return values.size() * sizeof(T);
}

// Memory with room for `values` at an offset that programs are given with it.
struct Room {
  Buffer buffer;
  uint64_t offset;

  Room(Device& device, uint64_t bytes, uint64_t steps = 0)
      : offset(steps * device.properties().alignment) {
    buffer = device.alloc(offset + bytes);
  }
  adx_binding binding() const { return {sizeof(adx_binding), buffer.handle(), offset}; }

  template <class T>
  void write(const std::vector<T>& values, uint64_t behind = 0) {
    buffer.device().copy_from_host(values.data(), buffer, bytes_of(values), offset + behind);
  }
  Floats read(size_t count) const {
    Floats values(count);
    buffer.device().copy_to_host(buffer, values.data(), bytes_of(values), offset);
    return values;
  }
};

std::string shown(const Floats& values) {
  std::string text;
  for (const float value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "[" + text + "]";
}

void expect(const Floats& got, const Floats& wanted, const std::string& where) {
  if (got != wanted) fail(where + " is " + shown(got) + " instead of " + shown(wanted));
}

// A program that adds x + c to a total, step by step, after it has checked the labels.
class Sums {
 public:
  explicit Sums(Device& device)
      : alignment_(device.properties().alignment),
        program_(graph().compile_supported(device)),
        queue_(device.queue()),
        x_(device, kBehind * alignment_ + bytes_of(kX), 2),
        total_(device, bytes_of(kX), 1),
        labels_(device, kNumLabels * sizeof(int32_t)),
        arena_(device, arena_bytes(), 3) {
    x_.write(kX, kBehind * alignment_);
    total_.write(Floats(kX.size(), 0.0f));
    set_labels({0, 3, 1, 2});
  }

  static constexpr int32_t kCheckNode = 1;

  void set_labels(const std::vector<int32_t>& labels) { labels_.write(labels); }
  void run(uint64_t n_steps) {
    program_.run(queue_, {arena_.binding(), x_.binding(), total_.binding(), labels_.binding()},
                 n_steps);
  }
  Program& program() { return program_; }
  const adx_control& control() const { return program_.control(); }

  void expect_total(uint64_t steps, const std::string& where) const {
    Floats wanted;
    for (size_t i = 0; i < kX.size(); ++i) {
      wanted.push_back(static_cast<float>(steps) * (kX[i] + kConstant[i]));
    }
    expect(total_.read(kX.size()), wanted, where);
  }

 private:
  static constexpr uint64_t kBehind = 1;
  static constexpr size_t kNumLabels = 4;
  inline static const Floats kX = {1, -2, 0.5f, 4, 8};
  inline static const Floats kConstant = {0.25f, 1, -3, 16, 2};

  uint64_t arena_bytes() const { return alignment_ + kNumLabels * sizeof(int32_t) + bytes_of(kX); }

  Graph graph() const {
    const auto count = static_cast<int64_t>(kX.size());
    const uint64_t second = (bytes_of(kX) + alignment_ - 1) / alignment_ * alignment_;
    Graph graph;
    const int32_t x = graph.tensor(ADX_FLOAT32, {count}, {ADX_STORAGE_BINDING, 0, alignment_});
    const int32_t before = graph.tensor(ADX_FLOAT32, {count}, {ADX_STORAGE_BINDING, 1, 0});
    const int32_t after = graph.tensor(ADX_FLOAT32, {count}, {ADX_STORAGE_BINDING, 1, 0});
    const int32_t labels = graph.tensor(ADX_INT32, {kNumLabels}, {ADX_STORAGE_BINDING, 2, 0});
    const int32_t checked = graph.tensor(ADX_INT32, {kNumLabels}, {ADX_STORAGE_ARENA, 0, second});
    const int32_t sum = graph.tensor(ADX_FLOAT32, {count}, {ADX_STORAGE_ARENA, 0, 0});
    graph.node("add", {x, graph.constant(kConstant)}, sum);
    graph.node("check_range", {labels}, checked,
               {{"low", ADX_ATTR_INT, 0},
                {"high", ADX_ATTR_INT, 4},
                {"what", ADX_ATTR_STRING, 0, "label"}});
    graph.node("add", {before, sum}, after);
    return graph;
  }

  uint64_t alignment_;
  Program program_;
  QueueLease queue_;
  Room x_, total_, labels_, arena_;
};

void check_steps(Device& device) {
  Sums sums(device);
  uint64_t done = 0;
  for (const uint64_t n_steps : {3, 0, 2}) {
    sums.run(n_steps);
    done += n_steps;
    if (sums.control().steps_done != n_steps) {
      fail("steps_done is " + std::to_string(sums.control().steps_done) + " after " +
           std::to_string(n_steps) + " steps");
    }
    sums.expect_total(done, "a sum over " + std::to_string(done) + " steps");
  }
}

void check_stop(Device& device) {
  Sums sums(device);
  sums.program().stop();
  sums.run(100);
  const uint64_t done = sums.control().steps_done;
  if (done > 1) fail("asked to stop, the device went on for " + std::to_string(done) + " steps");
  sums.expect_total(done, "the sum when the run has stopped");
}

void check_failed_check(Device& device) {
  Sums sums(device);
  sums.run(1);
  sums.set_labels({0, 3, 4, 2});
  sums.run(2);
  const adx_control& control = sums.control();
  if (control.failed_node != Sums::kCheckNode || control.failed_index != 2 ||
      control.failed_value != 4) {
    fail("of value 4 at index 2 of node 1 it says value " + std::to_string(control.failed_value) +
         " at index " + std::to_string(control.failed_index) + " of node " +
         std::to_string(control.failed_node));
  }
  if (control.steps_done != 0) fail("a step whose check failed counts as done");
  sums.expect_total(1, "the sum when a check has failed");
  sums.set_labels({0, 3, 1, 2});
  sums.run(1);
  sums.expect_total(2, "the sum after another run");
}

void check_refusal(Device& device) {
  Graph graph;
  const int32_t x = graph.tensor(ADX_FLOAT32, {4}, {ADX_STORAGE_BINDING, 0, 0});
  const int32_t y = graph.tensor(ADX_FLOAT32, {4}, {ADX_STORAGE_BINDING, 1, 0});
  graph.node("an_op_of_a_later_version", {x}, y);
  if (graph.supported(device)[0] != 0) fail("supports takes an op of an unknown name");
  try {
    graph.compile(device);
  } catch (const UnsupportedError&) {
    return;
  } catch (const Error& error) {
    fail(std::string("compile says '") + error.what() + "' of a node that supports refuses, not " +
         "ADX_UNSUPPORTED");
  }
  fail("compile takes a node that supports refuses");
}

// A product of matrices and a sum, of values that depend on the seed.
class Product {
 public:
  Product(Device& device, size_t seed)
      : device_(device),
        program_(graph().compile_supported(device)),
        queue_(device.queue()),
        a_(values(seed)),
        x_(device, bytes_of(a_)),
        y_(device, bytes_of(a_)),
        arena_(device, bytes_of(a_)) {
    x_.write(a_);
  }

  // What is wrong with the result, or "".
  std::string run() {
    program_.run(queue_, {arena_.binding(), x_.binding(), y_.binding()}, 1);
    const Floats got = y_.read(a_.size());
    const Floats before = std::exchange(last_, got);
    if (got == before) return "";
    const bool is_deterministic = (device_.properties().flags & ADX_DETERMINISTIC) != 0;
    if (is_deterministic && !before.empty()) return "the same run gives other bits";
    for (size_t i = 0; i < got.size(); ++i) {
      const double wanted = element(i);
      constexpr double kAllowed = 1e-4;
      if (!(std::abs(got[i] - wanted) <= kAllowed)) {
        return "element " + std::to_string(i) + " is " + std::to_string(got[i]) + " instead of " +
               std::to_string(wanted);
      }
    }
    return "";
  }

 private:
  static constexpr int64_t kExtent = 48;

  static Floats values(size_t seed) {
    Floats values(kExtent * kExtent);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>((i * 7919 + seed * 104729) % 1000) / 1000 - 0.5f;
    }
    return values;
  }

  double element(size_t i) const {
    const size_t row = i / kExtent, column = i % kExtent;
    double sum = a_[i];
    for (size_t k = 0; k < kExtent; ++k) {
      sum += double{a_[row * kExtent + k]} * double{a_[k * kExtent + column]};
    }
    return sum;
  }

  static Graph graph() {
    Graph graph;
    const std::vector<int64_t> dims = {kExtent, kExtent};
    const int32_t x = graph.tensor(ADX_FLOAT32, dims, {ADX_STORAGE_BINDING, 0, 0});
    const int32_t product = graph.tensor(ADX_FLOAT32, dims, {ADX_STORAGE_ARENA, 0, 0});
    const int32_t y = graph.tensor(ADX_FLOAT32, dims, {ADX_STORAGE_BINDING, 1, 0});
    graph.node("matmul", {x, x}, product,
               {{"transpose_a", ADX_ATTR_BOOL, 0}, {"transpose_b", ADX_ATTR_BOOL, 0}});
    graph.node("add", {product, x}, y);
    return graph;
  }

  Device& device_;
  Program program_;
  QueueLease queue_;
  Floats a_, last_;
  Room x_, y_, arena_;
};

void check_queues(Device& device) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLong(500);  // for two threads to meet on a busy machine
  in_two_threads([&](size_t seed) {
    Product product(device, seed);
    for (const Clock::time_point end = Clock::now() + kLong; Clock::now() < end;) {
      const std::string wrong = product.run();
      if (!wrong.empty()) fail("while another queue runs another program, " + wrong);
    }
  });
}

constexpr DeviceCheck kChecks[] = {{"steps of a program", check_steps},
                                   {"a stop between steps", check_stop},
                                   {"a check that fails", check_failed_check},
                                   {"an unknown op", check_refusal},
                                   {"programs in two queues", check_queues}};

}  // namespace

std::span<const DeviceCheck> program_checks() { return kChecks; }

}  // namespace addax
