#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "api/promotion.h"
#include "api/tensor.h"
#include "api/variable.h"
#include "runtime/program_cache.h"

namespace addax {

// What an op may be called with. `weak`: the tensor came from a nested list, so that its dtype
// gives way like a scalar's.
struct Operand {
  Operand(Tensor tensor, bool is_weak = false) : source(std::move(tensor)), weak(is_weak) {}
  Operand(std::shared_ptr<Variable> variable) : source(std::move(variable)) {}
  Operand(Scalar scalar) : source(scalar), weak(true) {}

  OperandType operand_type() const;

  std::variant<Tensor, std::shared_ptr<Variable>, Scalar> source;
  bool weak = false;
};

// Calls an op. Mixed dtypes are promoted by the op's rule first. With a trace active on this thread
// the op is appended to its graph; a concrete tensor among the inputs throws TracedValueError.
// Otherwise it runs now, as a program of one op kept in the program cache under the op, its
// attributes, the types of its inputs and the device. Inputs on different devices throw
// InvalidArgumentError.
std::vector<Tensor> apply_all(const OpDef& op, std::span<const Operand> inputs, Attrs attrs = {});

// The same for ops with one output.
Tensor apply(const OpDef& op, std::span<const Operand> inputs, Attrs attrs = {});
Tensor apply(std::string_view op, std::initializer_list<Operand> inputs, Attrs attrs = {});

// Runs the op's decomposition instead, whatever the device has kernels for; for tests. Not cached.
std::vector<Tensor> apply_decomposed(const OpDef& op, std::span<const Operand> inputs,
                                     const Attrs& attrs);

// Floating-point operations of one call by the op's record; for benchmarks.
double op_flops(const OpDef& op, std::span<const Operand> inputs, const Attrs& attrs);

// The programs of eager calls.
ProgramCache& program_cache();

// A concrete tensor of the operand's numbers, or the traced value inside a trace.
Tensor to_tensor(const Operand& operand);

// A tensor of dense row-major host data: on `device` (null: the default one), or a constant of the
// active trace, which may have at most kMaxConstantBytes.
Tensor make_tensor(const void* data, const TensorType& type, Device* device = nullptr);

// `x` itself when it has the dtype already.
Tensor cast(const Tensor& x, DType dtype);

// Concrete tensors share the buffer. One extent may be -1.
Tensor reshape(const Tensor& x, Ints shape);

}  // namespace addax
