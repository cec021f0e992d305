#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <vector>

#include "ops/op_def.h"

namespace addax::bind {

// How Python calls an op: the record's inputs and then its attributes, all of which may be given by
// position or by name. The last input of a variadic op takes the rest of the positional arguments,
// or one list of them, after which attributes may follow by position.
struct OpSignature {
  struct Parameter {
    std::string name;
    const AttrDef* attr = nullptr;  // null: an input
    bool keyword_only = false;
    bool required = false;
    pybind11::object default_value;
    pybind11::object annotation;
    pybind11::object interned_name;
  };

  explicit OpSignature(const OpDef& op);

  const OpDef& op;
  std::vector<Parameter> parameters;

  // An inspect.Signature.
  pybind11::object inspect() const;
  // The record's text and what its attributes mean.
  std::string doc() const;
};

// A callable of the type Op, made for `op`, which must live for ever.
pybind11::object make_op_function(const OpDef& op, const std::string& module_name);

// Makes the type Op ready; before the first function.
void prepare_op_type();

}  // namespace addax::bind
