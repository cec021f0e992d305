#include "ops/op_def.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/suggest.h"
#include "ops/checks.h"

namespace addax {
namespace {

class AttrResolver {
 public:
  AttrResolver(const OpDef& op, std::span<const TensorType> inputs) : op_(op), inputs_(inputs) {}

  AttrValue resolve(const AttrDef& attr, const AttrValue& value) const {
    switch (attr.kind) {
      case AttrKind::Bool:
        return expect<bool>(attr, value);
      case AttrKind::Int:
        return expect<int64_t>(attr, value);
      case AttrKind::Float:
        if (const int64_t* integer = std::get_if<int64_t>(&value)) {
          return static_cast<double>(*integer);
        }
        return expect<double>(attr, value);
      case AttrKind::String:
        return expect<std::string>(attr, value);
      case AttrKind::Ints:
        return ints(attr, value);
      case AttrKind::DType:
        return dtype(attr, value);
      case AttrKind::Literal:
        return expect<std::shared_ptr<const Literal>>(attr, value);
      case AttrKind::Axis:
        return axis(attr, expect<int64_t>(attr, value));
      case AttrKind::Axes:
        return axes(attr, ints(attr, value));
      case AttrKind::Shape:
        return shape(attr, ints(attr, value));
    }
    return value;
  }

  // All axes of the first input.
  Ints all_axes() const {
    Ints all;
    for (int i = 0; i < rank(); ++i) all.push_back(i);
    return all;
  }

  [[noreturn]] void fail(const std::string& text) const {
    throw InvalidArgumentError("[" + op_.name + "] " + text);
  }

 private:
  template <typename T>
  const T& expect(const AttrDef& attr, const AttrValue& value) const {
    if (const T* held = std::get_if<T>(&value)) return *held;
    fail("attribute '" + attr.name + "' must be of kind " + std::string(kind_name(attr.kind)) +
         ", got " + to_string(value));
  }

  Ints ints(const AttrDef& attr, const AttrValue& value) const {
    if (const int64_t* single = std::get_if<int64_t>(&value)) return {*single};
    return expect<Ints>(attr, value);
  }

  DType dtype(const AttrDef& attr, const AttrValue& value) const {
    const std::string* text = std::get_if<std::string>(&value);
    if (text == nullptr) return expect<DType>(attr, value);
    if (const std::optional<DType> known = dtype_from_name(*text)) return *known;
    std::vector<std::string> names;
    for (int i = 0; i < kNumDTypes; ++i) names.emplace_back(name(static_cast<DType>(i)));
    fail("unknown dtype '" + *text + "'" + did_you_mean(*text, names));
  }

  int rank() const { return inputs_.empty() ? 0 : inputs_[0].shape.rank(); }

  int64_t axis(const AttrDef& attr, int64_t value) const {
    if (inputs_.empty()) fail("needs at least one input");
    if (value < -rank() || value >= rank()) {
      fail(attr.name + " " + std::to_string(value) + " is out of range for shape " +
           inputs_[0].shape.to_string() + "; give an axis in [" + std::to_string(-rank()) + ", " +
           std::to_string(rank()) + ")");
    }
    return value < 0 ? value + rank() : value;
  }

  Ints axes(const AttrDef& attr, Ints values) const {
    for (int64_t& value : values) value = axis(attr, value);
    std::sort(values.begin(), values.end());
    const auto twice = std::adjacent_find(values.begin(), values.end());
    if (twice != values.end()) {
      fail(attr.name + " name axis " + std::to_string(*twice) + " twice");
    }
    return values;
  }

  Ints shape(const AttrDef& attr, Ints dims) const {
    const auto unknown = std::find(dims.begin(), dims.end(), -1);
    if (unknown == dims.end()) return dims;
    if (inputs_.empty())
      fail(attr.name + " " + to_string(dims) + " has -1 and no input to fill it");
    const int64_t total = inputs_[0].shape.num_elements();
    int64_t known = 1;
    bool valid = std::count(dims.begin(), dims.end(), -1) == 1;
    for (int64_t d : dims) {
      if (d == -1 || !valid) continue;
      valid = d > 0 && known <= std::numeric_limits<int64_t>::max() / d;
      if (valid) known *= d;
    }
    if (!valid || total % known != 0) {
      throw ShapeError("[" + op_.name + "] cannot fit " + inputs_[0].shape.to_string() + " (" +
                       std::to_string(total) + " elements) into " + attr.name + " " +
                       to_string(dims) + "; one -1 at most, and the other extents must divide it");
    }
    *unknown = total / known;
    return dims;
  }

  const OpDef& op_;
  std::span<const TensorType> inputs_;
};

void check_known(const OpDef& op, const Attrs& attrs) {
  for (const auto& [name, value] : attrs) {
    if (op.find_attr(name) != nullptr) continue;
    std::vector<std::string> known;
    std::string list;
    for (const AttrDef& attr : op.attrs) {
      known.push_back(attr.name);
      list += (list.empty() ? "" : ", ") + attr.name;
    }
    const std::string hint = did_you_mean(name, known);
    throw InvalidArgumentError("[" + op.name + "] unknown attribute '" + name + "'" +
                               (!hint.empty()  ? hint
                                : list.empty() ? "; it has none"
                                               : "; it has " + list));
  }
}

}  // namespace

const AttrDef* OpDef::find_attr(std::string_view attr) const {
  for (const AttrDef& def : attrs) {
    if (def.name == attr) return &def;
  }
  return nullptr;
}

std::map<std::string, double, std::less<>> numeric_attrs(const Attrs& attrs) {
  std::map<std::string, double, std::less<>> numbers;
  for (const auto& [name, value] : attrs) {
    if (const bool* flag = std::get_if<bool>(&value)) numbers[name] = *flag ? 1 : 0;
    if (const int64_t* integer = std::get_if<int64_t>(&value)) {
      numbers[name] = static_cast<double>(*integer);
    }
    if (const double* number = std::get_if<double>(&value)) numbers[name] = *number;
  }
  return numbers;
}

ScalarExpr scalar_expr(const OpDef& op, const Attrs& attrs) {
  return ScalarExpr::parse(op.expr, op.inputs, numeric_attrs(attrs));
}

Attrs resolve_attrs(const OpDef& op, Attrs attrs, std::span<const TensorType> inputs) {
  check_known(op, attrs);
  if (op.resolve) op.resolve(attrs, inputs);
  const AttrResolver resolver(op, inputs);
  for (const AttrDef& attr : op.attrs) {
    if (attrs.has(attr.name)) {
      attrs.set(attr.name, resolver.resolve(attr, attrs.at(attr.name)));
    } else if (attr.default_value) {
      attrs.set(attr.name, resolver.resolve(attr, *attr.default_value));
    } else if (attr.kind == AttrKind::Axes) {
      attrs.set(attr.name, resolver.all_axes());
    } else {
      resolver.fail("needs the attribute '" + attr.name + "' (" +
                    std::string(kind_name(attr.kind)) + "): " + attr.doc);
    }
  }
  return attrs;
}

int in_place_input(const OpDef& op, const Attrs& attrs, int output, int num_inputs) {
  if (op.op_class == OpClass::Update) {
    const int count = static_cast<int>(attrs.integer("count"));
    const int scalars = static_cast<int>(op.inputs.size()) - 1;
    const int gradients = output < count ? 0 : count;
    const int input = scalars + output + gradients;
    return input < num_inputs ? input : -1;
  }
  return op.in_place ? op.in_place(output, num_inputs) : -1;
}

std::vector<TensorType> infer_types(const OpDef& op, const Attrs& attrs,
                                    std::span<const TensorType> inputs) {
  const size_t named = op.inputs.size();
  const bool fits = op.variadic ? inputs.size() + 1 >= named : inputs.size() == named;
  if (!fits) {
    std::string names;
    for (const std::string& input : op.inputs) names += (names.empty() ? "" : ", ") + input;
    throw InvalidArgumentError("[" + op.name + "] takes " + (op.variadic ? "at least " : "") +
                               std::to_string(op.variadic ? named - 1 : named) + " inputs (" +
                               names + (op.variadic ? "..." : "") + "), got " +
                               std::to_string(inputs.size()));
  }
  return op.infer({op, attrs, inputs});
}

}  // namespace addax
