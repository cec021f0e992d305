#include <cmath>
#include <functional>

#include "cpu/device_fixture.h"

namespace addax::cpu::testing {
namespace {

constexpr DType kAllDTypes[] = {DType::Bool,     DType::UInt8,   DType::Int8,
                                DType::Int32,    DType::Int64,   DType::Float16,
                                DType::BFloat16, DType::Float32, DType::Float64};

Array counting(DType dtype, const Shape& shape) {
  Array x{dtype, shape, {}};
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    x.values.push_back(rounded(static_cast<double>(i % 120), dtype));
  }
  return x;
}

// The array whose element at `index` is element(index), a position in `x`, or `otherwise` where
// that is negative.
Array build(const Array& x, const Shape& shape,
            const std::function<int64_t(const std::vector<int64_t>&)>& element,
            double otherwise = 0) {
  Array y{x.dtype, shape, {}};
  std::vector<int64_t> index(static_cast<size_t>(shape.rank()));
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    int64_t flat = i;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      index[static_cast<size_t>(axis)] = flat % shape[axis];
      flat /= shape[axis];
    }
    const int64_t at = element(index);
    y.values.push_back(at < 0 ? otherwise : x.values[static_cast<size_t>(at)]);
  }
  return y;
}

TEST(Movement, Transposes) {
  struct Case {
    Shape shape;
    std::vector<int64_t> permutation;
  };
  const std::vector<Case> cases = {{{3, 5}, {}},
                                   {{100, 70}, {1, 0}},
                                   {{2, 3, 4}, {0, 2, 1}},
                                   {{2, 3, 4}, {2, 0, 1}},
                                   {{2, 3, 4}, {1, 0, 2}},
                                   {{4, 5, 6, 7}, {3, 1, 0, 2}},
                                   {{33, 1, 65}, {2, 1, 0}},
                                   {{7}, {0}},
                                   {{0, 3}, {1, 0}},
                                   {{1, 1}, {1, 0}}};
  for (DType dtype : kAllDTypes) {
    for (const Case& c : cases) {
      const Array x = counting(dtype, c.shape);
      std::vector<int64_t> permutation = c.permutation;
      for (int axis = c.shape.rank() - 1; c.permutation.empty() && axis >= 0; --axis) {
        permutation.push_back(axis);
      }
      std::vector<int64_t> dims;
      for (int64_t axis : permutation) dims.push_back(c.shape[static_cast<int>(axis)]);
      const auto strides = c.shape.strides();
      const Array expected = build(x, Shape(dims), [&](const std::vector<int64_t>& index) {
        int64_t at = 0;
        for (size_t i = 0; i < index.size(); ++i)
          at += index[i] * strides[static_cast<size_t>(permutation[i])];
        return at;
      });
      const auto y = run_node("transpose", {x}, {{dtype, expected.shape}},
                              {ints("permutation", c.permutation)});
      EXPECT_EQ(y[0].values, expected.values) << c.shape.to_string();
    }
  }
}

TEST(Movement, SlicesPadsAndFlips) {
  for (DType dtype : kAllDTypes) {
    const Array x = counting(dtype, {5, 6});
    const Array sliced =
        build(x, {2, 3}, [](const auto& i) { return (1 + 2 * i[0]) * 6 + 1 + 2 * i[1]; });
    EXPECT_EQ(run_node("slice", {x}, {{dtype, {2, 3}}},
                       {ints("begin", {1, 1}), ints("end", {5, 6}), ints("strides", {2, 2})})[0]
                  .values,
              sliced.values);

    const Array padded = build(
        x, {8, 12},
        [](const auto& i) {
          const int64_t row = i[0] - 2, col = i[1] + 1;
          return row < 0 || row >= 5 || col % 2 != 0 || col / 2 >= 6 ? -1 : row * 6 + col / 2;
        },
        1);
    EXPECT_EQ(run_node("pad", {x, array(dtype, {}, {1})}, {{dtype, {8, 12}}},
                       {ints("low", {2, -1}), ints("high", {1, 2}), ints("interior", {0, 1})})[0]
                  .values,
              padded.values);

    const Array cropped = build(x, {3, 2}, [](const auto& i) { return (i[0] + 1) * 6 + i[1] + 3; });
    EXPECT_EQ(run_node("pad", {x, array(dtype, {}, {0})}, {{dtype, {3, 2}}},
                       {ints("low", {-1, -3}), ints("high", {-1, -1}), ints("interior", {0, 0})})[0]
                  .values,
              cropped.values);

    const Array flipped = build(x, {5, 6}, [](const auto& i) { return (4 - i[0]) * 6 + i[1]; });
    EXPECT_EQ(run_node("flip", {x}, {{dtype, {5, 6}}}, {ints("axes", {0})})[0].values,
              flipped.values);
    const Array reversed =
        build(x, {5, 6}, [](const auto& i) { return (4 - i[0]) * 6 + 5 - i[1]; });
    EXPECT_EQ(run_node("flip", {x}, {{dtype, {5, 6}}}, {ints("axes", {0, 1})})[0].values,
              reversed.values);
  }
}

TEST(Movement, ConcatenatesAlsoEmptyParts) {
  const Array a = counting(DType::Float32, {2, 3}), b = counting(DType::Float32, {2, 0}),
              c = counting(DType::Float32, {2, 40000});
  const auto y = run_node("concatenate", {b, a, b, c, b}, {{DType::Float32, {2, 40003}}},
                          {integer("axis", 1)})[0];
  for (int64_t row = 0; row < 2; ++row) {
    for (int64_t col = 0; col < 40003; ++col) {
      const double expected = col < 3 ? a.values[static_cast<size_t>(row * 3 + col)]
                                      : c.values[static_cast<size_t>(row * 40000 + col - 3)];
      ASSERT_EQ(y.values[static_cast<size_t>(row * 40003 + col)], expected);
    }
  }
}

TEST(Movement, BroadcastsCopiesAndCounts) {
  const Array row = counting(DType::Int8, {1, 3});
  const Array tall = build(row, {2, 4, 3}, [](const auto& i) { return i[2]; });
  EXPECT_EQ(
      run_node("broadcast_to", {row}, {{DType::Int8, {2, 4, 3}}}, {ints("shape", {2, 4, 3})})[0]
          .values,
      tall.values);
  const Array x = counting(DType::Float64, {100, 333});
  EXPECT_EQ(run_node("copy", {x}, {{DType::Float64, {100, 333}}})[0].values, x.values);
  EXPECT_EQ(run_node("reshape", {x}, {{DType::Float64, {333, 100}}}, {ints("shape", {333, 100})})[0]
                .values,
            x.values);
  const auto iota =
      run_node("iota", {}, {{DType::Float16, {2, 3, 2}}},
               {ints("shape", {2, 3, 2}), integer("axis", 1), dtype("dtype", DType::Float16)});
  EXPECT_EQ(iota[0].values, (std::vector<double>{0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2}));
}

TEST(Movement, TakesAndConverts) {
  const Array indices = array(DType::Int32, {2, 2}, {3, 0, 1, 3});
  for (DType from : kAllDTypes) {
    for (DType to : {from, DType::Float32}) {
      const Array x = counting(from, {2, 4, 1500});
      const auto y = run_node("take", {x, indices}, {{to, {2, 2, 2, 1500}}},
                              {integer("axis", 1), dtype("dtype", to)})[0];
      const Array expected = build(x, {2, 2, 2, 1500}, [&](const auto& i) {
        const auto index =
            static_cast<int64_t>(indices.values[static_cast<size_t>(i[1] * 2 + i[2])]);
        return (i[0] * 4 + index) * 1500 + i[3];
      });
      EXPECT_EQ(y.values, expected.values) << name(from);
    }
  }
}

adx_control new_control() {
  adx_control control = {};
  control.struct_size = sizeof(control);
  control.failed_node = -1;
  return control;
}

TEST(Movement, TakeReportsTheFirstIndexOutOfRange) {
  GraphBuilder builder;
  const int32_t x = builder.input(counting(DType::Float32, {4, 3}));
  const int32_t i = builder.input(array(DType::Int64, {4}, {1, 0, 4, -1}));
  builder.node("take", {x, i}, {builder.output(DType::Float32, {4, 3})}, {integer("axis", 0)});
  adx_control control = new_control();
  builder.run(3, &control);
  EXPECT_EQ(control.failed_node, 0);
  EXPECT_EQ(control.failed_index, 2);
  EXPECT_EQ(control.failed_value, 4);
  EXPECT_EQ(control.steps_done, 0u);
}

TEST(Movement, ScatterAddsInOrder) {
  const Array indices = array(DType::Int64, {5}, {2, 0, 2, 2, 1});
  const Array updates = random_array(DType::Float32, {5, 700}, 5);
  const auto y = run_node("scatter_add", {indices, updates}, {{DType::Float32, {4, 700}}},
                          {ints("shape", {4, 700}), integer("axis", 0)})[0];
  for (size_t col = 0; col < 700; ++col) {
    const auto u = [&](size_t row) { return static_cast<float>(updates.values[row * 700 + col]); };
    ASSERT_EQ(y.values[col], u(1));
    ASSERT_EQ(y.values[700 + col], u(4));
    ASSERT_EQ(y.values[1400 + col], (u(0) + u(2)) + u(3));
    ASSERT_EQ(y.values[2100 + col], 0);
  }
  const auto inner = run_node(
      "scatter_add", {indices, array(DType::Int32, {2, 5, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})},
      {{DType::Int32, {2, 3, 1}}}, {ints("shape", {2, 3, 1}), integer("axis", 1)})[0];
  EXPECT_EQ(inner.values, (std::vector<double>{2, 5, 8, 7, 10, 23}));
}

TEST(Movement, CheckRangePassesOrReports) {
  const Array x = array(DType::UInt8, {5}, {1, 2, 9, 3, 7});
  EXPECT_EQ(run_node("check_range", {x}, {{DType::UInt8, {5}}},
                     {integer("low", 0), integer("high", 10), text("what", "label")})[0]
                .values,
            x.values);
  GraphBuilder builder;
  const int32_t in = builder.input(x), checked = builder.internal(DType::UInt8, {5});
  const int32_t out = builder.output(DType::UInt8, {5});
  builder.node("check_range", {in}, {checked},
               {integer("low", 2), integer("high", 8), text("what", "label")});
  builder.node("copy", {checked}, {out});
  adx_control control = new_control();
  builder.run(1, &control);
  EXPECT_EQ(control.failed_node, 0);
  EXPECT_EQ(control.failed_index, 0);
  EXPECT_EQ(control.failed_value, 1);
  EXPECT_EQ(builder.value(out).values, std::vector<double>(5, 0x7b))
      << "what follows a failed check must not run";
}

}  // namespace
}  // namespace addax::cpu::testing
