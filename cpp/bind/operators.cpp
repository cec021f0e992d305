#include "bind/operators.h"

#include <array>
#include <string>
#include <vector>

#include "api/indexing.h"
#include "bind/attributes.h"
#include "bind/call.h"
#include "bind/convert.h"
#include "core/error.h"

namespace addax::bind {
namespace {

TensorObject not_implemented() { return py::reinterpret_borrow<TensorObject>(Py_NotImplemented); }

TensorObject wrap(Tensor tensor) {
  return py::reinterpret_steal<TensorObject>(py::cast(std::move(tensor)).release());
}

Tensor call_pair(const OpDef& op, const Operand& x, const Operand& other, bool reflected) {
  return reflected ? call(op, std::array{other, x}) : call(op, std::array{x, other});
}

void require_bool(const OpDef& op, const Operand& operand) {
  const DType dtype = operand.operand_type().dtype;
  if (dtype == DType::Bool) return;
  throw DTypeError("[" + op.name + "] the operators & | ^ ~ work on bool tensors, got " +
                   std::string(name(dtype)) + "; compare first, for instance with x != 0");
}

const Shape& shape_of(const Operand& operand) {
  static const Shape scalar;
  if (const Tensor* tensor = std::get_if<Tensor>(&operand.source)) return tensor->shape();
  if (const auto* variable = std::get_if<std::shared_ptr<Variable>>(&operand.source)) {
    return (*variable)->type().shape;
  }
  return scalar;
}

Ints as_ints(const Shape& shape) { return {shape.begin(), shape.end()}; }

std::optional<int64_t> slice_bound(PyObject* bound) {
  if (bound == Py_None) return std::nullopt;
  // Clips what does not fit; any such bound is beyond the axis.
  const Py_ssize_t value = PyNumber_AsSsize_t(bound, nullptr);
  if (value == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return value;
}

IndexItem index_item(const py::handle& item) {
  PyObject* object = item.ptr();
  if (item.is_none()) return NewAxis{};
  if (object == Py_Ellipsis) return EllipsisIndex{};
  if (PySlice_Check(object) != 0) {
    const auto* slice = reinterpret_cast<PySliceObject*>(object);
    return SliceIndex{slice_bound(slice->start), slice_bound(slice->stop),
                      slice_bound(slice->step).value_or(1)};
  }
  const bool is_tensor = py::isinstance<Tensor>(item) || py::isinstance<Variable>(item);
  if (!is_tensor && PyBool_Check(object) == 0 && PyIndex_Check(object) != 0 &&
      !py::isinstance<py::array>(item)) {
    const int64_t position =
        PyLong_AsLongLong(py::reinterpret_steal<py::object>(PyNumber_Index(object)).ptr());
    if (position == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    return position;
  }
  return to_tensor(operand_from_python(item, "index"));
}

// The integers of f(1, 2), f((1, 2)) and f([1, 2]).
Ints integers_of(std::string_view op, std::string_view attr, const Arguments& args) {
  const OpDef& record = OpRegistry::instance().at(op);
  py::object value = args;
  if (args.size() == 1) value = args[0];
  return std::get<Ints>(*attr_from_python(record, *record.find_attr(attr), value));
}

}  // namespace

TensorObject binary(const OpDef& op, const Operand& x, const py::object& other, bool reflected) {
  const std::optional<Operand> operand = try_operand(other);
  return operand ? wrap(call_pair(op, x, *operand, reflected)) : not_implemented();
}

TensorObject logical(const OpDef& op, const Operand& x, const py::object& other, bool reflected) {
  const std::optional<Operand> operand = try_operand(other);
  if (!operand) return not_implemented();
  require_bool(op, x);
  require_bool(op, *operand);
  return wrap(call_pair(op, x, *operand, reflected));
}

TensorObject matmul(const OpDef& op, const Operand& x, const py::object& other, bool reflected) {
  const std::optional<Operand> operand = try_operand(other);
  if (!operand) return not_implemented();
  const Operand& a = reflected ? *operand : x;
  const Operand& b = reflected ? x : *operand;
  const int rank_a = shape_of(a).rank();
  const int rank_b = shape_of(b).rank();
  if (rank_a == 0 || rank_b == 0) {
    throw ShapeError(
        "[matmul] operands must have at least one dimension; multiply by a number "
        "with *");
  }
  if (rank_a > 1 && rank_b > 1) return wrap(call_pair(op, a, b, false));
  // A vector on the left is a row, on the right a column; that axis is dropped again.
  const Operand row = rank_a > 1 ? a : addax::reshape(to_tensor(a), {1, shape_of(a)[0]});
  const Operand column = rank_b > 1 ? b : addax::reshape(to_tensor(b), {shape_of(b)[0], 1});
  const Tensor product = call_pair(op, row, column, false);
  Ints shape = as_ints(product.shape());
  if (rank_b == 1) shape.pop_back();
  if (rank_a == 1) shape.erase(shape.end() - (rank_b == 1 ? 1 : 2));
  return wrap(addax::reshape(product, shape));
}

Tensor call_unary(const OpDef& op, const Operand& x) { return call(op, std::array{x}); }

Tensor invert(const Operand& x) {
  const OpDef& op = OpRegistry::instance().at("logical_not");
  require_bool(op, x);
  return call_unary(op, x);
}

Tensor reduce(const OpDef& op, const Operand& x, const py::object& axis, bool keepdims) {
  Attrs attrs{{"keepdims", keepdims}};
  if (auto axes = attr_from_python(op, *op.find_attr("axes"), axis)) attrs.set("axes", *axes);
  return call(op, std::array{x}, std::move(attrs));
}

Tensor argument_of_extreme(const OpDef& op, const Operand& x, const py::object& axis,
                           bool keepdims) {
  if (!axis.is_none()) {
    const auto position = attr_from_python(op, *op.find_attr("axis"), axis);
    return call(op, std::array{x}, {{"axis", *position}, {"keepdims", keepdims}});
  }
  const Tensor flat = addax::reshape(to_tensor(x), {-1});
  Tensor found = call(op, std::array{Operand(flat)}, {{"axis", int64_t{0}}});
  if (!keepdims) return found;
  return addax::reshape(found, Ints(static_cast<size_t>(shape_of(x).rank()), 1));
}

Tensor subscript(const Operand& x, const py::object& key) {
  std::vector<IndexItem> items;
  if (py::isinstance<py::tuple>(key)) {
    for (const py::handle item : key) items.push_back(index_item(item));
  } else {
    items.push_back(index_item(key));
  }
  const CallGil gil(std::array{x});
  return index(to_tensor(x), items);
}

py::ssize_t length(const Operand& x) {
  const Shape& shape = shape_of(x);
  if (shape.rank() == 0) throw py::type_error("len() of a tensor without dimensions");
  return static_cast<py::ssize_t>(shape[0]);
}

TensorIterator iterate(const Operand& x) {
  if (shape_of(x).rank() == 0) throw py::type_error("iteration over a tensor without dimensions");
  const Tensor tensor = to_tensor(x);
  py::list rows;
  for (int64_t i = 0; i < tensor.shape()[0]; ++i) {
    const std::array<IndexItem, 1> items{i};
    rows.append(index(tensor, items));
  }
  return py::reinterpret_steal<TensorIterator>(py::iter(rows).release());
}

Tensor transpose(const Operand& x, const Arguments& axes) {
  const OpDef& op = OpRegistry::instance().at("transpose");
  Attrs attrs;
  if (!axes.empty() && !(axes.size() == 1 && axes[0].is_none())) {
    Ints permutation = integers_of("transpose", "permutation", axes);
    for (int64_t& axis : permutation) {
      if (axis < 0) axis += shape_of(x).rank();
    }
    attrs.set("permutation", std::move(permutation));
  }
  return call(op, std::array{x}, std::move(attrs));
}

Tensor reshape(const Operand& x, const Arguments& shape) {
  return addax::reshape(to_tensor(x), integers_of("reshape", "shape", shape));
}

py::object item(const Operand& x, std::string_view what) {
  const Tensor tensor = to_tensor(x);
  tensor.device(what);
  if (tensor.shape().num_elements() != 1) {
    throw InvalidArgumentError("[" + std::string(what) +
                               "] needs a tensor with one element, got "
                               "shape " +
                               tensor.shape().to_string());
  }
  switch (tensor.dtype()) {
    case DType::Float32: {
      float number = 0;
      tensor.copy_to_host(&number);
      return py::float_(number);
    }
    case DType::Float16:
    case DType::BFloat16:
      return numpy_from_tensor(tensor, what).attr("astype")("float32").attr("item")();
    default:
      return numpy_from_tensor(tensor, what).attr("item")();
  }
}

py::object tolist(const Operand& x) {
  const Tensor tensor = to_tensor(x);
  py::object array = numpy_from_tensor(tensor, "tolist()");
  if (tensor.dtype() == DType::BFloat16) array = array.attr("astype")("float32");
  return array.attr("tolist")();
}

NumpyArray numpy_array(const Operand& x, const py::object& dtype, const py::object& copy) {
  const py::array array = numpy_from_tensor(to_tensor(x), "numpy()");
  const bool must_copy = !copy.is_none() && copy.cast<bool>();
  const bool converts = !dtype.is_none() && !py::dtype::from_args(dtype).equal(array.dtype());
  if (converts && !copy.is_none() && !must_copy) {
    throw InvalidArgumentError("[__array__] a conversion of dtype needs a copy");
  }
  if (converts) return py::array(array.attr("astype")(dtype));
  return must_copy ? py::array(array.attr("copy")()) : array;
}

}  // namespace addax::bind
