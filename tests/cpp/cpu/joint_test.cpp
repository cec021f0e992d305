// Kernels that run together, image by image, give the bits that they give one after the other.
#include "cpu/device_fixture.h"

namespace addax::cpu::testing {
namespace {

constexpr DType kF32 = DType::Float32;

std::vector<Attr> convolution(int64_t kernel) {
  const int64_t pad = kernel / 2;
  return {ints("strides", {1, 1}), ints("padding", {pad, pad, pad, pad}), ints("dilations", {1, 1}),
          integer("groups", 1)};
}

std::vector<Attr> filter_gradient(int64_t kernel, std::vector<int64_t> shape) {
  std::vector<Attr> attrs = convolution(kernel);
  attrs.push_back(ints("filter_shape", std::move(shape)));
  attrs.push_back(flag("wide", false));
  return attrs;
}

std::vector<Attr> halves() {
  return {ints("pool_size", {2, 2}), ints("strides", {2, 2}), ints("padding", {0, 0, 0, 0})};
}

// Runs the graph with chunks in rising and in falling order and returns the names of its spans.
std::vector<std::string> run_both_ways(GraphBuilder& builder, int32_t result,
                                       const Array& expected) {
  std::vector<std::string> ops;
  for (bool reverse : {false, true}) {
    set_reverse_chunks(reverse);
    spans().clear();
    set_tracing(true);
    builder.run();
    set_tracing(false);
    ops.clear();
    for (const Span& span : spans()) ops.push_back(span.op);
    EXPECT_EQ(builder.value(result).values, expected.values);
  }
  set_reverse_chunks(false);
  return ops;
}

TEST(Joint, AConvolutionAndItsPooling) {
  const Array x = random_array(kF32, {64, 28, 28, 1}, 1);
  const Array w = random_array(kF32, {3, 3, 1, 32}, 2);
  const Shape large{64, 28, 28, 32}, small{64, 14, 14, 32};
  const Array y = run_node("conv2d", {x, w}, {{kF32, large}}, convolution(3))[0];
  const Array pooled = run_node("max_pool2d", {y}, {{kF32, small}}, halves())[0];

  for (bool y_is_read_later : {false, true}) {
    GraphBuilder builder;
    const int32_t images = builder.input(x), filter = builder.input(w);
    const int32_t between =
        y_is_read_later ? builder.output(kF32, large) : builder.internal(kF32, large);
    const int32_t result = builder.output(kF32, small);
    builder.node("conv2d", {images, filter}, {between}, convolution(3));
    builder.node("max_pool2d", {between}, {result}, halves());
    const auto ops = run_both_ways(builder, result, pooled);
    EXPECT_EQ(ops, std::vector<std::string>{"conv2d+max_pool2d"});
    if (y_is_read_later) {
      EXPECT_EQ(builder.value(between).values, y.values);
    }
  }
}

TEST(Joint, WritesToMemoryOnlyWhatOthersReadToo) {
  const Array x = random_array(kF32, {64, 28, 28, 1}, 1);
  const Array w = random_array(kF32, {3, 3, 1, 32}, 2);
  const Shape large{64, 28, 28, 32}, small{64, 14, 14, 32};
  const Array y = run_node("conv2d", {x, w}, {{kF32, large}}, convolution(3))[0];
  const Array pooled = run_node("max_pool2d", {y}, {{kF32, small}}, halves())[0];
  const Array opposite = run_node("negative", {y}, {{kF32, large}})[0];

  for (bool others_read : {false, true}) {
    GraphBuilder builder;
    const int32_t images = builder.input(x), filter = builder.input(w);
    const int32_t between = builder.internal(kF32, large), result = builder.output(kF32, small);
    const int32_t negated = builder.output(kF32, large);
    builder.node("conv2d", {images, filter}, {between}, convolution(3));
    builder.node("max_pool2d", {between}, {result}, halves());
    if (others_read) builder.node("negative", {between}, {negated});
    run_both_ways(builder, result, pooled);
    if (others_read) {
      EXPECT_EQ(builder.value(negated).values, opposite.values);
    }
    const size_t moved = x.bytes() + w.bytes() + pooled.bytes() + (others_read ? 2 * y.bytes() : 0);
    EXPECT_EQ(spans().front().op, "conv2d+max_pool2d");
    EXPECT_EQ(spans().front().bytes, static_cast<double>(moved));
  }
}

TEST(Joint, KeepsInMemoryWhatALaterStageReadsAgain) {
  const Array x = random_array(kF32, {64, 28, 28, 1}, 1);
  const Array w = random_array(kF32, {3, 3, 1, 8}, 2), v = random_array(kF32, {3, 3, 8, 8}, 3);
  const Shape images{64, 28, 28, 8};
  std::vector<Attr> residual = convolution(3);
  residual.push_back(text("epilogue", "exp(i0) * i1"));
  const Array y = run_node("conv2d", {x, w}, {{kF32, images}}, convolution(3))[0];
  const Array z = run_node("conv2d_epilogue", {y, v, y}, {{kF32, images}}, residual)[0];

  GraphBuilder builder;
  const int32_t first = builder.input(x), filter = builder.input(w), next = builder.input(v);
  const int32_t between = builder.internal(kF32, images), result = builder.output(kF32, images);
  builder.node("conv2d", {first, filter}, {between}, convolution(3));
  builder.node("conv2d_epilogue", {between, next, between}, {result}, residual);
  run_both_ways(builder, result, z);
}

TEST(Joint, TheGradientsOfAPoolingAndOfAFilter) {
  const Array x = random_array(kF32, {64, 28, 28, 1}, 1);
  const Array y = random_array(kF32, {64, 28, 28, 32}, 2);
  const Array dp = random_array(kF32, {64, 14, 14, 32}, 3);
  const Shape filter{3, 3, 1, 32};
  const auto attrs = filter_gradient(3, {3, 3, 1, 32});
  const Array dy = run_node("max_pool2d_grad", {y, dp}, {{kF32, y.shape}}, halves())[0];
  const Array dw = run_node("conv2d_filter_grad", {x, dy}, {{kF32, filter}}, attrs)[0];

  GraphBuilder builder;
  const int32_t images = builder.input(x), pool_input = builder.input(y),
                spread = builder.input(dp);
  const int32_t between = builder.internal(kF32, y.shape), result = builder.output(kF32, filter);
  builder.node("max_pool2d_grad", {pool_input, spread}, {between}, halves());
  builder.node("conv2d_filter_grad", {images, between}, {result}, attrs);
  const auto ops = run_both_ways(builder, result, dw);
  EXPECT_EQ(ops, std::vector<std::string>{"max_pool2d_grad+conv2d_filter_grad"});
}

TEST(Joint, NotWhereTheSecondWritesOverWhatTheFirstReads) {
  const Array x = random_array(kF32, {256, 28, 28, 8}, 1);
  const Array w = random_array(kF32, {1, 1, 8, 32}, 2);
  const Shape large{256, 28, 28, 32}, small{256, 14, 14, 32};
  const Array y = run_node("conv2d", {x, w}, {{kF32, large}}, convolution(1))[0];
  const Array pooled = run_node("max_pool2d", {y}, {{kF32, small}}, halves())[0];

  for (bool in_place : {false, true}) {
    const std::vector<std::string> expected = in_place
                                                  ? std::vector<std::string>{"conv2d", "max_pool2d"}
                                                  : std::vector<std::string>{"conv2d+max_pool2d"};
    for (bool reverse : {false, true}) {
      // Once each: a run in place leaves no input for another.
      GraphBuilder builder;
      const int32_t flat = builder.input(array(kF32, small, x.values));
      const int32_t images = builder.view_of(flat, x.shape);
      const int32_t filter = builder.input(w);
      const int32_t between = builder.internal(kF32, large);
      const int32_t result = in_place ? builder.output_in_place(flat) : builder.output(kF32, small);
      builder.node("conv2d", {images, filter}, {between}, convolution(1));
      builder.node("max_pool2d", {between}, {result}, halves());
      set_reverse_chunks(reverse);
      spans().clear();
      set_tracing(true);
      builder.run();
      set_tracing(false);
      set_reverse_chunks(false);
      std::vector<std::string> ops;
      for (const Span& span : spans()) ops.push_back(span.op);
      EXPECT_EQ(ops, expected);
      EXPECT_EQ(builder.value(result).values, pooled.values);
    }
  }
}

TEST(Joint, NotWhereTheSecondReadsWhatTheFirstMakesAsItsFilter) {
  // A batch of 32 pooled images of 32x32x32 taken as a filter of 32x32 pixels.
  const Array x = random_array(kF32, {32, 64, 64, 32}, 1);
  const Array z = random_array(kF32, {32, 33, 33, 32}, 2);
  const Shape filter{32, 32, 32, 32}, out{32, 2, 2, 32};
  std::vector<Attr> attrs = convolution(1);
  const Array pooled = run_node("max_pool2d", {x}, {{kF32, filter}}, halves())[0];
  const Array y = run_node("conv2d", {z, pooled}, {{kF32, out}}, attrs)[0];

  GraphBuilder builder;
  const int32_t images = builder.input(x), others = builder.input(z);
  const int32_t between = builder.internal(kF32, filter), result = builder.output(kF32, out);
  builder.node("max_pool2d", {images}, {between}, halves());
  builder.node("conv2d", {others, between}, {result}, attrs);
  const auto ops = run_both_ways(builder, result, y);
  EXPECT_EQ(ops, (std::vector<std::string>{"max_pool2d", "conv2d"}));
}

}  // namespace
}  // namespace addax::cpu::testing
