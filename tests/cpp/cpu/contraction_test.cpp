#include <cmath>
#include <functional>

#include "cpu/device_fixture.h"

namespace addax::cpu::testing {
namespace {

class ContractionLevels : public ::testing::TestWithParam<Isa> {
 protected:
  UseIsa isa_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, ContractionLevels, ::testing::ValuesIn(levels()),
                         [](const auto& info) { return std::string(name(info.param)); });

size_t broadcast_index(const Shape& shape, const Shape& batch, int64_t flat) {
  int64_t index = 0, step = 1;
  for (int axis = batch.rank() - 1; axis >= 0; --axis) {
    const int64_t position = flat % batch[axis];
    flat /= batch[axis];
    const int own = axis - (batch.rank() - (shape.rank() - 2));
    if (own < 0) continue;
    if (shape[own] != 1) index += position * step;
    step *= shape[own];
  }
  return static_cast<size_t>(index);
}

Array multiply(const Array& a, const Array& b, bool trans_a, bool trans_b) {
  const int ra = a.shape.rank(), rb = b.shape.rank();
  const int64_t m = a.shape[ra - (trans_a ? 1 : 2)], k = a.shape[ra - (trans_a ? 2 : 1)];
  const int64_t n = b.shape[rb - (trans_b ? 2 : 1)];
  const Shape batch_a(a.shape.dims().first(static_cast<size_t>(ra - 2)));
  const Shape batch_b(b.shape.dims().first(static_cast<size_t>(rb - 2)));
  const Shape batch = *broadcast(batch_a, batch_b);
  std::vector<int64_t> dims(batch.begin(), batch.end());
  dims.insert(dims.end(), {m, n});
  Array c{a.dtype, Shape(dims), {}};
  for (int64_t i = 0; i < batch.num_elements(); ++i) {
    const double* pa =
        a.values.data() + broadcast_index(a.shape, batch, i) * static_cast<size_t>(m * k);
    const double* pb =
        b.values.data() + broadcast_index(b.shape, batch, i) * static_cast<size_t>(k * n);
    for (int64_t row = 0; row < m; ++row) {
      for (int64_t col = 0; col < n; ++col) {
        double sum = 0;
        for (int64_t p = 0; p < k; ++p) {
          sum += pa[trans_a ? p * m + row : row * k + p] * pb[trans_b ? col * k + p : p * n + col];
        }
        c.values.push_back(sum);
      }
    }
  }
  return c;
}

struct Operands {
  Shape a, b;
};

TEST_P(ContractionLevels, MatmulOfAnyDTypeOrientationAndBatch) {
  const std::vector<Operands> cases = {
      {{32, 784}, {784, 10}},    {{5, 3}, {3, 7}},   {{1, 1}, {1, 1}},    {{2, 4, 3}, {2, 3, 5}},
      {{4, 1, 2, 3}, {5, 3, 6}}, {{3, 0}, {0, 4}},   {{3, 2, 8}, {8, 4}}, {{64, 130}, {130, 70}},
      {{13, 34}, {34, 66}},      {{7, 18}, {18, 5}}, {{2, 9, 6}, {6, 3}}};
  for (DType type : {DType::Float32, DType::Float64, DType::Float16, DType::BFloat16, DType::Int32,
                     DType::UInt8, DType::Int64}) {
    for (const Operands& c : cases) {
      for (int orientation = 0; orientation < 4; ++orientation) {
        const bool trans_a = orientation & 1, trans_b = orientation & 2;
        const auto swapped = [](const Shape& shape, bool swap) {
          std::vector<int64_t> dims(shape.begin(), shape.end());
          if (swap) std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
          return Shape(dims);
        };
        const Array a = random_array(type, swapped(c.a, trans_a), 1, 0, 5),
                    b = random_array(type, swapped(c.b, trans_b), 2, 0, 5);
        Array expected = multiply(a, b, trans_a, trans_b);
        for (double& v : expected.values) {
          if (!is_floating(type)) v = type == DType::UInt8 ? std::fmod(v, 256) : v;
        }
        SCOPED_TRACE(std::string(name(type)) + c.a.to_string() + c.b.to_string());
        const auto k = static_cast<double>(c.a[c.a.rank() - 1]);
        // Every sum of k products of normal numbers is below 6 k, its error below k roundings of
        // that.
        const double unit = type == DType::Float64 ? 0x1p-53 : 0x1p-24;
        const double narrow =
            type == DType::Float16 ? 0x1p-11 : (type == DType::BFloat16 ? 0x1p-8 : 0);
        const auto y = run_node("matmul", {a, b}, {{type, expected.shape}},
                                {flag("transpose_a", trans_a), flag("transpose_b", trans_b)})[0];
        expect_close(y, expected, narrow, is_floating(type) ? 6 * k * unit * std::sqrt(k) : 0);
      }
    }
  }
}

TEST_P(ContractionLevels, EpiloguesInTheKernelAndBehindIt) {
  const Array a = random_array(DType::Float32, {33, 70}, 1),
              b = random_array(DType::Float32, {70, 45}, 2);
  const Array bias = random_array(DType::Float32, {45}, 3),
              full = random_array(DType::Float32, {33, 45}, 4);
  const Array other = random_array(DType::Float32, {45}, 6);
  const Array column = random_array(DType::Float32, {33, 1}, 5);
  const Array product = multiply(a, b, false, false);
  struct Case {
    const char* text;
    std::vector<Array> extras;
    std::function<double(double, size_t)> reference;
  };
  const std::vector<Case> cases = {
      {"i0", {}, [](double v, size_t) { return v; }},
      {"i0 + i1", {bias}, [&](double v, size_t i) { return v + bias.values[i % 45]; }},
      {"maximum(i0, 0)", {}, [](double v, size_t) { return std::max(v, 0.0); }},
      {"maximum(i1 + i0, 0)",
       {bias},
       [&](double v, size_t i) { return std::max(v + bias.values[i % 45], 0.0); }},
      {"where(i1 > 0, i0, 0)",
       {full},
       [&](double v, size_t i) { return full.values[i] > 0 ? v : 0; }},
      {"where(i2 > 0, maximum(i0 + i1, 0), 0)",
       {bias, full},
       [&](double v, size_t i) {
         return full.values[i] > 0 ? std::max(v + bias.values[i % 45], 0.0) : 0;
       }},
      {"i0 + i1", {full}, [&](double v, size_t i) { return v + full.values[i]; }},
      {"i1 * i0", {bias}, [&](double v, size_t i) { return v * bias.values[i % 45]; }},
      {"where(i4 > 0, maximum(i3 + (i0 * i1 + i2), 0), 0)",
       {bias, other, full, full},
       [&](double v, size_t i) {
         const double y = v * bias.values[i % 45] + other.values[i % 45] + full.values[i];
         return full.values[i] > 0 ? std::max(y, 0.0) : 0;
       }},
      {"(i0 + i1) * i2",
       {bias, other},
       [&](double v, size_t i) { return (v + bias.values[i % 45]) * other.values[i % 45]; }},
      {"i0 * i1 + i2",
       {column, bias},
       [&](double v, size_t i) { return v * column.values[i / 45] + bias.values[i % 45]; }},
      {"tanh(i0)", {}, [](double v, size_t) { return std::tanh(v); }},
  };
  for (const Case& c : cases) {
    std::vector<Array> inputs = {a, b};
    inputs.insert(inputs.end(), c.extras.begin(), c.extras.end());
    Array expected = product;
    for (size_t i = 0; i < expected.values.size(); ++i)
      expected.values[i] = c.reference(expected.values[i], i);
    SCOPED_TRACE(c.text);
    expect_close(run_node("matmul_epilogue", inputs, {{DType::Float32, {33, 45}}},
                          {flag("transpose_a", false), flag("transpose_b", false),
                           text("epilogue", c.text)})[0],
                 expected, 1e-6, 2e-5);
  }
}

struct Conv {
  Shape x, filter;
  std::vector<int64_t> strides, padding, dilations;
  int64_t groups;
};
const std::vector<Conv> kConvs = {
    {{2, 7, 6, 4}, {3, 3, 4, 5}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1},
    {{3, 9, 8, 4}, {3, 2, 2, 6}, {2, 3}, {0, 1, 1, 0}, {1, 2}, 2},
    {{1, 5, 5, 1}, {5, 5, 1, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1},
};

std::vector<Attr> attrs_of(const Conv& c) {
  return {ints("strides", c.strides), ints("padding", c.padding), ints("dilations", c.dilations),
          integer("groups", c.groups)};
}

// Visits every (x, filter, y) triple of indices that a convolution multiplies; returns y's shape.
Shape visit_conv(const Conv& c, const std::function<void(size_t, size_t, size_t)>& body) {
  const auto out = [&](int axis) {
    const auto i = static_cast<size_t>(axis);
    return (c.x[axis + 1] + c.padding[2 * i] + c.padding[2 * i + 1] -
            c.dilations[i] * (c.filter[axis] - 1) - 1) /
               c.strides[i] +
           1;
  };
  const int64_t oh = out(0), ow = out(1), oc = c.filter[3], depth = c.filter[2];
  for (int64_t n = 0; n < c.x[0]; ++n)
    for (int64_t i = 0; i < oh; ++i)
      for (int64_t j = 0; j < ow; ++j)
        for (int64_t o = 0; o < oc; ++o)
          for (int64_t p = 0; p < c.filter[0]; ++p)
            for (int64_t q = 0; q < c.filter[1]; ++q)
              for (int64_t d = 0; d < depth; ++d) {
                const int64_t row = i * c.strides[0] + p * c.dilations[0] - c.padding[0];
                const int64_t col = j * c.strides[1] + q * c.dilations[1] - c.padding[2];
                if (row < 0 || row >= c.x[1] || col < 0 || col >= c.x[2]) continue;
                const int64_t channel = o / (oc / c.groups) * depth + d;
                body(static_cast<size_t>(((n * c.x[1] + row) * c.x[2] + col) * c.x[3] + channel),
                     static_cast<size_t>(((p * c.filter[1] + q) * depth + d) * oc + o),
                     static_cast<size_t>(((n * oh + i) * ow + j) * oc + o));
              }
  return {c.x[0], oh, ow, oc};
}

TEST_P(ContractionLevels, ConvolutionAndItsGradients) {
  for (DType type : {DType::Float32, DType::Float64}) {
    for (const Conv& c : kConvs) {
      const Shape out = visit_conv(c, [](size_t, size_t, size_t) {});
      const Array x = random_array(type, c.x, 1), w = random_array(type, c.filter, 2),
                  dy = random_array(type, out, 3);
      const auto zeros = [&](const Shape& shape) {
        return Array{type, shape, std::vector<double>(static_cast<size_t>(shape.num_elements()))};
      };
      Array y = zeros(out), dx = zeros(c.x), dw = zeros(c.filter);
      visit_conv(c, [&](size_t i, size_t f, size_t o) {
        y.values[o] += x.values[i] * w.values[f];
        dx.values[i] += dy.values[o] * w.values[f];
        dw.values[f] += x.values[i] * dy.values[o];
      });
      const double bound = type == DType::Float32 ? 2e-5 : 1e-13;
      std::vector<Attr> attrs = attrs_of(c);
      expect_close(run_node("conv2d", {x, w}, {{type, out}}, attrs)[0], y, 0, bound);
      attrs.push_back(text("epilogue", "maximum(i0 + i1, 0)"));
      const Array bias = random_array(type, {c.filter[3]}, 4);
      Array activated = y;
      for (size_t i = 0; i < y.values.size(); ++i) {
        activated.values[i] = std::max(y.values[i] + bias.values[i % bias.values.size()], 0.0);
      }
      expect_close(run_node("conv2d_epilogue", {x, w, bias}, {{type, out}}, attrs)[0], activated, 0,
                   bound);
      attrs = attrs_of(c);
      attrs.push_back(ints("input_shape", std::vector<int64_t>(c.x.begin(), c.x.end())));
      expect_close(run_node("conv2d_input_grad", {dy, w}, {{type, c.x}}, attrs)[0], dx, 0, bound);
      attrs = attrs_of(c);
      attrs.push_back(ints("filter_shape", std::vector<int64_t>(c.filter.begin(), c.filter.end())));
      expect_close(run_node("conv2d_filter_grad", {x, dy}, {{type, c.filter}}, attrs)[0], dw, 0,
                   bound);
    }
  }
}

TEST_P(ContractionLevels, PoolingAndItsGradients) {
  const Array x = array(DType::Float32, {1, 3, 3, 1}, {1, 5, 2, 5, 0, -1, 3, 4, 8});
  const Array dy = array(DType::Float32, {1, 2, 2, 1}, {10, 20, 30, 40});
  const std::vector<Attr> attrs = {ints("pool_size", {2, 2}), ints("strides", {2, 2}),
                                   ints("padding", {0, 1, 0, 1})};
  const std::vector<std::pair<DType, Shape>> small = {{DType::Float32, {1, 2, 2, 1}}},
                                             large = {{DType::Float32, {1, 3, 3, 1}}};
  EXPECT_EQ(run_node("max_pool2d", {x}, small, attrs)[0].values, (std::vector<double>{5, 2, 4, 8}));
  EXPECT_EQ(run_node("max_pool2d_grad", {x, dy}, large, attrs)[0].values,
            (std::vector<double>{0, 10, 20, 0, 0, 0, 0, 30, 40}));
  EXPECT_EQ(run_node("avg_pool2d", {x}, small, attrs)[0].values,
            (std::vector<double>{2.75, 0.5, 3.5, 8}));
  EXPECT_EQ(run_node("avg_pool2d_grad", {dy}, large, attrs)[0].values,
            (std::vector<double>{2.5, 2.5, 10, 2.5, 2.5, 10, 15, 15, 40}));
}

}  // namespace
}  // namespace addax::cpu::testing
