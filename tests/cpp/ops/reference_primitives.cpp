#include "reference_primitives.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/philox.h"

namespace addax::test {
namespace {

using Index = std::vector<int64_t>;
using Results = std::vector<std::vector<double>>;

// Calls f(index) for every index of the shape in row-major order.
template <typename F>
void for_each_index(const Shape& shape, F f) {
  const int64_t count = shape.num_elements();
  Index index(static_cast<size_t>(shape.rank()), 0);
  for (int64_t n = 0; n < count; ++n) {
    f(index);
    for (size_t i = index.size(); i-- > 0;) {
      if (++index[i] < shape[static_cast<int>(i)]) break;
      index[i] = 0;
    }
  }
}

size_t offset_of(const Shape& shape, const Index& index) {
  int64_t offset = 0;
  for (int i = 0; i < shape.rank(); ++i) offset = offset * shape[i] + index[static_cast<size_t>(i)];
  return static_cast<size_t>(offset);
}

// The element of a tensor that a broadcast index refers to.
double broadcast_at(const Array& array, const Index& index) {
  const Shape& shape = array.type.shape;
  const size_t skipped = index.size() - static_cast<size_t>(shape.rank());
  Index own;
  for (int i = 0; i < shape.rank(); ++i) {
    own.push_back(shape[i] == 1 ? 0 : index[skipped + static_cast<size_t>(i)]);
  }
  return array.data[offset_of(shape, own)];
}

double as_dtype(double value, DType dtype) {
  if (dtype == DType::Bool) return value != 0 ? 1 : 0;
  return is_floating(dtype) ? value : std::trunc(value);
}

Results elementwise(const PrimitiveCall& call) {
  const ScalarExpr expr = scalar_expr(call.op, call.attrs);
  std::vector<double> y;
  for_each_index(call.outputs[0].shape, [&](const Index& index) {
    std::vector<double> operands;
    for (const Array& array : call.inputs) operands.push_back(broadcast_at(array, index));
    y.push_back(as_dtype(addax::evaluate(expr, operands)[0], call.outputs[0].dtype));
  });
  return {y};
}

Results reduce(const PrimitiveCall& call, double start, double (*combine)(double, double)) {
  const Shape& shape = call.inputs[0].type.shape;
  const Ints& axes = call.attrs.ints("axes");
  Ints kept_dims(shape.begin(), shape.end());
  for (int64_t axis : axes) kept_dims[static_cast<size_t>(axis)] = 1;
  const Shape kept(kept_dims);
  std::vector<double> y(static_cast<size_t>(kept.num_elements()), start);
  size_t n = 0;
  for_each_index(shape, [&](Index index) {
    for (int64_t axis : axes) index[static_cast<size_t>(axis)] = 0;
    double& total = y[offset_of(kept, index)];
    total = combine(total, call.inputs[0].data[n++]);
  });
  return {y};
}

Results arg_extremum(const PrimitiveCall& call, bool largest) {
  const Shape& shape = call.inputs[0].type.shape;
  const size_t axis = static_cast<size_t>(call.attrs.integer("axis"));
  Ints kept_dims(shape.begin(), shape.end());
  kept_dims[axis] = 1;
  std::vector<double> y;
  for_each_index(Shape(kept_dims), [&](Index index) {
    double best = 0;
    int64_t place = -1;
    for (int64_t i = 0; i < shape[static_cast<int>(axis)]; ++i) {
      index[axis] = i;
      const double x = call.inputs[0].data[offset_of(shape, index)];
      const bool better =
          place < 0 || (!std::isnan(best) && std::isnan(x)) || (largest ? x > best : x < best);
      if (!better) continue;
      best = x;
      place = i;
    }
    y.push_back(static_cast<double>(place));
  });
  return {y};
}

Results matmul(const PrimitiveCall& call) {
  const bool ta = call.attrs.flag("transpose_a");
  const bool tb = call.attrs.flag("transpose_b");
  const Shape& a = call.inputs[0].type.shape;
  const int64_t inner = a[a.rank() - (ta ? 2 : 1)];
  const auto at = [](const Array& array, Index index, int64_t row, int64_t column) {
    index[index.size() - 2] = row;
    index[index.size() - 1] = column;
    const Shape& shape = array.type.shape;
    const size_t skipped = index.size() - static_cast<size_t>(shape.rank());
    Index own(index.begin() + static_cast<std::ptrdiff_t>(skipped), index.end());
    for (int i = 0; i + 2 < shape.rank(); ++i) {
      if (shape[i] == 1) own[static_cast<size_t>(i)] = 0;
    }
    return array.data[offset_of(shape, own)];
  };
  std::vector<double> y;
  for_each_index(call.outputs[0].shape, [&](const Index& index) {
    const int64_t row = index[index.size() - 2];
    const int64_t column = index[index.size() - 1];
    double total = 0;
    for (int64_t k = 0; k < inner; ++k) {
      const double left =
          ta ? at(call.inputs[0], index, k, row) : at(call.inputs[0], index, row, k);
      total +=
          left * (tb ? at(call.inputs[1], index, column, k) : at(call.inputs[1], index, k, column));
    }
    y.push_back(total);
  });
  return {y};
}

// Result element by result element, from wherever `source` says in the first input.
template <typename F>
Results moved(const PrimitiveCall& call, F source) {
  std::vector<double> y;
  for_each_index(call.outputs[0].shape, [&](const Index& index) {
    y.push_back(call.inputs[0].data[offset_of(call.inputs[0].type.shape, source(index))]);
  });
  return {y};
}

Results transpose(const PrimitiveCall& call) {
  const Ints& permutation = call.attrs.ints("permutation");
  return moved(call, [&](const Index& index) {
    Index from(index.size());
    for (size_t i = 0; i < index.size(); ++i) from[static_cast<size_t>(permutation[i])] = index[i];
    return from;
  });
}

Results broadcast_to(const PrimitiveCall& call) {
  std::vector<double> y;
  for_each_index(call.outputs[0].shape,
                 [&](const Index& index) { y.push_back(broadcast_at(call.inputs[0], index)); });
  return {y};
}

Results slice(const PrimitiveCall& call) {
  return moved(call, [&](Index index) {
    for (size_t i = 0; i < index.size(); ++i) {
      index[i] = call.attrs.ints("begin")[i] + index[i] * call.attrs.ints("strides")[i];
    }
    return index;
  });
}

Results flip(const PrimitiveCall& call) {
  return moved(call, [&](Index index) {
    for (int64_t axis : call.attrs.ints("axes")) {
      const size_t i = static_cast<size_t>(axis);
      index[i] = call.outputs[0].shape[static_cast<int>(axis)] - 1 - index[i];
    }
    return index;
  });
}

Results pad(const PrimitiveCall& call) {
  const TensorType& type = call.outputs[0];
  std::vector<double> y(static_cast<size_t>(type.shape.num_elements()), call.inputs[1].data[0]);
  size_t n = 0;
  for_each_index(call.inputs[0].type.shape, [&](Index index) {
    bool inside = true;
    for (size_t i = 0; i < index.size(); ++i) {
      index[i] = call.attrs.ints("low")[i] + index[i] * (call.attrs.ints("interior")[i] + 1);
      inside = inside && index[i] >= 0 && index[i] < type.shape[static_cast<int>(i)];
    }
    if (inside) y[offset_of(type.shape, index)] = call.inputs[0].data[n];
    ++n;
  });
  return {y};
}

Results concatenate(const PrimitiveCall& call) {
  const size_t axis = static_cast<size_t>(call.attrs.integer("axis"));
  std::vector<double> y;
  for_each_index(call.outputs[0].shape, [&](Index index) {
    size_t which = 0;
    for (;; ++which) {
      const int64_t extent = call.inputs[which].type.shape[static_cast<int>(axis)];
      if (index[axis] < extent) break;
      index[axis] -= extent;
    }
    y.push_back(call.inputs[which].data[offset_of(call.inputs[which].type.shape, index)]);
  });
  return {y};
}

// The index into the big tensor and the index into `indices` that an index of the gathered tensor
// stands for.
std::pair<Index, Index> split_gathered(const Index& index, size_t axis, const Shape& indices) {
  const auto begin = index.begin() + static_cast<std::ptrdiff_t>(axis);
  const auto end = begin + indices.rank();
  Index whole(index.begin(), begin);
  whole.push_back(0);
  whole.insert(whole.end(), end, index.end());
  return {whole, Index(begin, end)};
}

Results take(const PrimitiveCall& call) {
  const size_t axis = static_cast<size_t>(call.attrs.integer("axis"));
  const Array& indices = call.inputs[1];
  return moved(call, [&](const Index& index) {
    auto [whole, inner] = split_gathered(index, axis, indices.type.shape);
    whole[axis] = static_cast<int64_t>(indices.data[offset_of(indices.type.shape, inner)]);
    return whole;
  });
}

Results scatter_add(const PrimitiveCall& call) {
  const size_t axis = static_cast<size_t>(call.attrs.integer("axis"));
  const Array& indices = call.inputs[0];
  const Shape& shape = call.outputs[0].shape;
  std::vector<double> y(static_cast<size_t>(shape.num_elements()), 0);
  size_t n = 0;
  for_each_index(call.inputs[1].type.shape, [&](const Index& index) {
    auto [whole, inner] = split_gathered(index, axis, indices.type.shape);
    whole[axis] = static_cast<int64_t>(indices.data[offset_of(indices.type.shape, inner)]);
    y[offset_of(shape, whole)] += call.inputs[1].data[n++];
  });
  return {y};
}

Results iota(const PrimitiveCall& call) {
  const size_t axis = static_cast<size_t>(call.attrs.integer("axis"));
  std::vector<double> y;
  for_each_index(call.outputs[0].shape,
                 [&](const Index& index) { y.push_back(static_cast<double>(index[axis])); });
  return {y};
}

Results constant(const PrimitiveCall& call) {
  const Literal& literal = call.attrs.literal("value");
  std::vector<double> y;
  for (int64_t i = 0; i < literal.type.shape.num_elements(); ++i) y.push_back(element(literal, i));
  return {y};
}

Results random_uniform(const PrimitiveCall& call) {
  const double low = call.attrs.number("minval");
  const double high = call.attrs.number("maxval");
  const uint64_t seed = static_cast<uint64_t>(call.inputs[0].data[0]);
  const uint64_t counter = static_cast<uint64_t>(call.inputs[0].data[1]);
  const uint64_t count = static_cast<uint64_t>(call.outputs[0].shape.num_elements());
  std::vector<double> y;
  for (uint64_t i = 0; i < count; ++i) {
    const uint32_t word = philox_block(seed, counter + i / 4)[i % 4];
    y.push_back(low + (word >> 8) * 0x1p-24 * (high - low));
  }
  const double next = static_cast<double>(counter + (count + 3) / 4);
  return {y, {call.inputs[0].data[0], next}};
}

Results unchanged(const PrimitiveCall& call) { return {call.inputs[0].data}; }

double larger(double a, double b) { return addax::evaluate(ScalarOp::Maximum, a, b); }
double smaller(double a, double b) { return addax::evaluate(ScalarOp::Minimum, a, b); }

const std::map<std::string, std::function<Results(const PrimitiveCall&)>>& rules() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static const std::map<std::string, std::function<Results(const PrimitiveCall&)>> rules = {
      {"sum", [](const auto& c) { return reduce(c, 0, [](double a, double b) { return a + b; }); }},
      {"prod",
       [](const auto& c) { return reduce(c, 1, [](double a, double b) { return a * b; }); }},
      {"max", [](const auto& c) { return reduce(c, -kInfinity, larger); }},
      {"min", [](const auto& c) { return reduce(c, kInfinity, smaller); }},
      {"any", [](const auto& c) { return reduce(c, 0, larger); }},
      {"all", [](const auto& c) { return reduce(c, 1, smaller); }},
      {"argmax", [](const auto& c) { return arg_extremum(c, true); }},
      {"argmin", [](const auto& c) { return arg_extremum(c, false); }},
      {"matmul", matmul},
      {"reshape", unchanged},
      {"copy", unchanged},
      {"check_range", unchanged},
      {"transpose", transpose},
      {"broadcast_to", broadcast_to},
      {"slice", slice},
      {"flip", flip},
      {"pad", pad},
      {"concatenate", concatenate},
      {"take", take},
      {"scatter_add", scatter_add},
      {"iota", iota},
      {"constant", constant},
      {"random_uniform", random_uniform},
  };
  return rules;
}

}  // namespace

bool evaluate_primitive(const PrimitiveCall& call, Results& results) {
  if (call.op.op_class == OpClass::Elementwise) {
    results = elementwise(call);
    return true;
  }
  const auto found = rules().find(call.op.name);
  if (found == rules().end()) return false;
  results = found->second(call);
  return true;
}

}  // namespace addax::test
