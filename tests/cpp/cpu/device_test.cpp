#include <cstring>
#include <memory>
#include <string>

#include "cpu/device_fixture.h"

namespace addax::cpu::testing {
namespace {

adx_status new_status() {
  adx_status status = {};
  status.struct_size = sizeof(status);
  return status;
}

adx_control new_control() {
  adx_control control = {};
  control.struct_size = sizeof(control);
  control.failed_node = -1;
  return control;
}

TEST(Device, TellsWhatItIs) {
  adx_properties properties = {};
  properties.struct_size = sizeof(properties);
  adx_status status = new_status();
  api().properties(device(), &properties, &status);
  EXPECT_EQ(status.code, ADX_OK);
  EXPECT_STREQ(properties.kind, "cpu");
  EXPECT_NE(std::string(properties.name), "");
  EXPECT_NE(std::string(properties.details).find("isa="), std::string::npos);
  EXPECT_TRUE(properties.flags & ADX_UNIFIED_MEMORY);
  EXPECT_GE(properties.alignment, 64u);
  EXPECT_GT(properties.total_memory, uint64_t{64} << 20);
  EXPECT_LE(api().free_memory(device()), properties.total_memory);
}

TEST(Device, RefusesAHostOfAnotherVersion) {
  adx_host host = test_host();
  host.abi_version = ADX_ABI_VERSION + 1;
  adx_status status = new_status();
  EXPECT_EQ(adx_cpu_plugin(&host, &status), nullptr);
  EXPECT_EQ(status.code, ADX_UNSUPPORTED);
}

TEST(Device, AllocatesAligned) {
  for (uint64_t bytes : {uint64_t{1}, uint64_t{100}, uint64_t{5} << 20}) {
    adx_status status = new_status();
    adx_buffer* buffer = api().alloc(device(), bytes, &status);
    ASSERT_NE(buffer, nullptr) << status.message;
    void* data = api().map(device(), buffer, &status);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 64, 0u);
    std::memset(data, 1, bytes);
    api().free(device(), buffer);
  }
}

TEST(Device, SaysSoWhenMemoryCannotBeHad) {
  adx_status status = new_status();
  EXPECT_EQ(api().alloc(device(), uint64_t{1} << 60, &status), nullptr);
  EXPECT_EQ(status.code, ADX_OUT_OF_MEMORY);
  EXPECT_NE(std::string(status.message).find("1152921504606846976"), std::string::npos);
}

TEST(Device, CopiesAndFillsWithinBuffers) {
  std::vector<uint8_t> memory(100, 7);
  adx_status status = new_status();
  adx_buffer* buffer = api().wrap(device(), memory.data(), memory.size(), &status);
  adx_queue* queue = api().queue_create(device(), &status);
  const uint8_t text[] = {1, 2, 3};
  const adx_location from = {sizeof(adx_location), nullptr, const_cast<uint8_t*>(text), 1};
  const adx_location to = {sizeof(adx_location), buffer, nullptr, 98};
  api().copy(device(), queue, &from, &to, 2, &status);
  EXPECT_EQ(memory[98], 2);
  EXPECT_EQ(memory[99], 3);
  const adx_location start = {sizeof(adx_location), buffer, nullptr, 0};
  api().fill(device(), queue, &start, 9, 98, &status);
  EXPECT_EQ(memory[97], 9);
  EXPECT_EQ(memory[98], 2);
  EXPECT_EQ(status.code, ADX_OK);
  api().fill(device(), queue, &to, 0, 3, &status);
  EXPECT_EQ(status.code, ADX_OUT_OF_RANGE);
  api().queue_destroy(device(), queue);
  api().free(device(), buffer);
}

// y += 1, n times.
struct Counter {
  GraphBuilder builder;
  int32_t value;

  Counter() {
    const int32_t in = builder.input(array(DType::Int64, {}, {0}));
    const int32_t one = builder.constant(array(DType::Int64, {}, {1}));
    value = builder.output_in_place(in);
    builder.node("add", {in, one}, {value});
  }
};

TEST(Device, RunsStepsOnStateInPlace) {
  Counter counter;
  adx_control control = new_control();
  counter.builder.run(1000, &control);
  EXPECT_EQ(counter.builder.value(counter.value).values[0], 1000);
  EXPECT_EQ(control.steps_done, 1000u);
  EXPECT_EQ(control.failed_node, -1);
}

TEST(Device, HonoursTheStopFlag) {
  Counter counter;
  adx_control control = new_control();
  control.stop = 1;
  counter.builder.run(1000, &control);
  EXPECT_LE(control.steps_done, 1u);
  EXPECT_EQ(counter.builder.value(counter.value).values[0],
            static_cast<double>(control.steps_done));
}

TEST(Device, AFailedCheckWithoutControlIsAnError) {
  GraphBuilder builder;
  const int32_t x = builder.input(array(DType::Int32, {3}, {0, 5, 0}));
  builder.node("check_range", {x}, {builder.output(DType::Int32, {3})},
               {integer("low", 0), integer("high", 5)});
  adx_status status = new_status();
  builder.run(1, nullptr, &status);
  EXPECT_EQ(status.code, ADX_OUT_OF_RANGE);
}

TEST(Device, RefusesWhatItDoesNotKnow) {
  GraphBuilder builder;
  const int32_t x = builder.input(array(DType::Float32, {2}, {1, 2}));
  builder.node("matmul", {x, x}, {builder.output(DType::Bool, {2})});
  builder.node("fold_paper", {x}, {builder.output(DType::Float32, {2})});
  builder.node("exp", {x}, {builder.output(DType::Float32, {2})});
  EXPECT_EQ(builder.supports(), (std::vector<uint8_t>{0, 0, 1}));
  adx_status status = new_status();
  builder.run(1, nullptr, &status);
  EXPECT_EQ(status.code, ADX_UNSUPPORTED);
  EXPECT_EQ(std::string(status.message).find("[fold_paper]"), 0u) << status.message;
  EXPECT_NE(std::string(status.message).find("f32[2]"), std::string::npos) << status.message;
}

TEST(Device, SaysWhichAttributeIsMissing) {
  GraphBuilder builder;
  const int32_t x = builder.input(array(DType::Float32, {2}, {1, 2}));
  builder.node("argmax", {x}, {builder.output(DType::Int32, {})});
  adx_status status = new_status();
  builder.run(1, nullptr, &status);
  EXPECT_EQ(status.code, ADX_INVALID_ARGUMENT);
  EXPECT_NE(std::string(status.message).find("'axis'"), std::string::npos) << status.message;
}

TEST(Device, TracesEveryNode) {
  GraphBuilder builder;
  const int32_t x = builder.input(array(DType::Float32, {2, 2}, {1, 2, 3, 4}));
  const int32_t y = builder.internal(DType::Float32, {2, 2});
  builder.node("matmul", {x, x}, {y}, {}, "dense");
  builder.node("exp", {y}, {builder.output(DType::Float32, {2, 2})});
  spans().clear();
  set_tracing(true);
  builder.run(2);
  set_tracing(false);
  ASSERT_EQ(spans().size(), 4u);
  EXPECT_EQ(spans()[0].op, "matmul");
  EXPECT_EQ(spans()[0].label, "dense");
  EXPECT_EQ(spans()[0].bytes, 48);
  EXPECT_EQ(spans()[3].op, "exp");
}

TEST(Device, NeedsTheArenaThatTheGraphAsksFor) {
  GraphBuilder builder;
  const int32_t x = builder.input(random_array(DType::Float32, {1000}, 1));
  const int32_t a = builder.internal(DType::Float32, {1000}),
                b = builder.internal(DType::Float32, {1000});
  const int32_t y = builder.output(DType::Float32, {1000});
  builder.node("negative", {x}, {a});
  builder.node("abs", {a}, {b});
  builder.node("add", {a, b}, {y});
  builder.run();
  const Array in = builder.value(x), out = builder.value(y);
  for (size_t i = 0; i < 1000; ++i)
    ASSERT_EQ(out.values[i], in.values[i] < 0 ? -2 * in.values[i] : 0);
}

}  // namespace
}  // namespace addax::cpu::testing
