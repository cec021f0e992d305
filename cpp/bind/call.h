#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <span>
#include <vector>

#include "api/eager.h"
#include "bind/gil.h"

namespace addax::bind {

// Lets other Python threads run during a call that is worth it: one that works on more than a few
// thousand elements.
class CallGil {
 public:
  explicit CallGil(std::span<const Operand> inputs) {
    if (is_long(inputs)) release_.emplace();
  }

 private:
  static bool is_long(std::span<const Operand> inputs);

  std::optional<GilRelease> release_;
};

// Applies an op to operands that are converted already.
std::vector<Tensor> call_all(const OpDef& op, std::span<const Operand> inputs, Attrs attrs = {});
Tensor call(const OpDef& op, std::span<const Operand> inputs, Attrs attrs = {});

// One tensor as itself, several as a tuple.
pybind11::object to_python(std::vector<Tensor> tensors);

}  // namespace addax::bind
