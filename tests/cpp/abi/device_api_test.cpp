#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "addax/device.hpp"

// A device of which every other call fails, each in another way.
struct adx_buffer {
  explicit adx_buffer(int& count) : alive(count) { ++alive; }
  ~adx_buffer() { --alive; }
  adx_buffer(const adx_buffer&) = delete;
  adx_buffer& operator=(const adx_buffer&) = delete;

  int& alive;
};
struct adx_queue {
  void synchronize() { throw std::runtime_error("out of order"); }
  void copy(const adx_location&, const adx_location&, uint64_t) { throw 7; }
  void fill(const adx_location&, uint8_t, uint64_t bytes) { filled += bytes; }

  uint64_t filled = 0;
};
struct adx_program {
  void run(adx_queue& queue, const adx_binding*, const adx_binding*, int32_t, uint64_t n_steps,
           adx_control*) {
    queue.filled += n_steps;
  }
};
struct adx_device {
  void describe(adx_properties& out) { addax::plugin::set_text(out.kind, "failing"); }
  std::unique_ptr<adx_buffer> allocate(uint64_t bytes) {
    if (bytes > 8) throw std::bad_alloc();
    return std::make_unique<adx_buffer>(buffers);
  }
  std::unique_ptr<adx_queue> make_queue() { return std::make_unique<adx_queue>(); }
  void supports(const adx_graph&, uint8_t* mask) { mask[0] = 1; }
  std::unique_ptr<adx_program> compile(const adx_graph& graph) {
    if (graph.num_nodes > 0) throw addax::plugin::Failure{ADX_UNSUPPORTED, "only empty graphs"};
    return std::make_unique<adx_program>();
  }

  int buffers = 0;
};

namespace addax {
namespace {

constexpr adx_device_api kApi = plugin::device_api();

class DeviceApi : public ::testing::Test {
 protected:
  void expect(adx_code code, const std::string& message = "") {
    EXPECT_EQ(status_.code, code);
    EXPECT_EQ(status_.message, message);
    status_ = {.struct_size = sizeof(adx_status)};
  }

  adx_status status_ = {.struct_size = sizeof(adx_status)};
  adx_device device_;
};

TEST_F(DeviceApi, LeavesOutWhatTheClassesLack) {
  EXPECT_EQ(kApi.struct_size, sizeof kApi);
  EXPECT_EQ(kApi.map, nullptr);
  EXPECT_EQ(kApi.wrap, nullptr);
  EXPECT_EQ(kApi.free_memory, nullptr);
  EXPECT_EQ(kApi.event_create, nullptr);
  EXPECT_EQ(kApi.event_elapsed_us, nullptr);
}

TEST_F(DeviceApi, CallsTheClasses) {
  adx_properties properties = {.struct_size = sizeof properties};
  kApi.properties(&device_, &properties, &status_);
  EXPECT_STREQ(properties.kind, "failing");

  adx_queue* const queue = kApi.queue_create(&device_, &status_);
  const adx_graph empty = {.struct_size = sizeof empty};
  adx_program* const program = kApi.compile(&device_, &empty, &status_);
  const adx_location to = {.struct_size = sizeof to};
  kApi.fill(&device_, queue, &to, 0, 100, &status_);
  kApi.run(&device_, queue, program, nullptr, nullptr, 0, 3, nullptr, &status_);
  EXPECT_EQ(queue->filled, 103u);
  kApi.program_destroy(&device_, program);
  kApi.queue_destroy(&device_, queue);

  adx_buffer* const buffer = kApi.alloc(&device_, 8, &status_);
  EXPECT_EQ(device_.buffers, 1);
  kApi.free(&device_, buffer);
  EXPECT_EQ(device_.buffers, 0);
  expect(ADX_OK);
}

TEST_F(DeviceApi, TurnsExceptionsIntoTheStatus) {
  EXPECT_EQ(kApi.alloc(&device_, 9, &status_), nullptr);
  expect(ADX_OUT_OF_MEMORY, "the host has no memory left");
  const adx_graph graph = {.struct_size = sizeof graph, .num_nodes = 1};
  EXPECT_EQ(kApi.compile(&device_, &graph, &status_), nullptr);
  expect(ADX_UNSUPPORTED, "only empty graphs");
  adx_queue queue;
  kApi.queue_synchronize(&device_, &queue, &status_);
  expect(ADX_DEVICE, "out of order");
  const adx_location place = {.struct_size = sizeof place};
  kApi.copy(&device_, &queue, &place, &place, 0, &status_);
  expect(ADX_DEVICE, "unknown exception");
}

}  // namespace
}  // namespace addax
