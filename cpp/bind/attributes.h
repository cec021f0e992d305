#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string_view>

#include "ops/op_def.h"

namespace addax::bind {

// The Python name of an attribute: NumPy and Keras say `axis` also where it takes several.
std::string_view python_name(const AttrDef& attr);

// The attribute that Python calls `name`; null when the op has none. Record names are understood
// too.
const AttrDef* find_attribute(const OpDef& op, std::string_view name);

// The value as the record's kind wants it; nothing for None, which stands for the default. Throws
// InvalidArgumentError naming op, attribute and what was expected.
std::optional<AttrValue> attr_from_python(const OpDef& op, const AttrDef& attr,
                                          const pybind11::handle& value);
pybind11::object attr_to_python(const AttrValue& value);

// An attributes dict by name.
Attrs attrs_from_python(const OpDef& op, const pybind11::dict& attrs);

}  // namespace addax::bind
