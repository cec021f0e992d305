#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ops/attr.h"
#include "ops/emitter.h"
#include "ops/scalar_expr.h"

namespace addax {

// How passes may treat an op.
enum class OpClass : uint8_t {
  Elementwise,  // has `expr`; inputs broadcast
  Reduce,       // sum, max, ... over axes
  Contraction,  // matmul, convolutions: takes epilogues
  Movement,     // reshape, transpose, slice, gather, ...: no arithmetic
  Source,       // no inputs: constant, iota
  Random,       // consumes generator state
  Update,       // new state from old: optimizers. Inputs: scalars, then groups of `count` tensors
                // (parameters, gradients, each kind of slot); outputs: new parameters, new slots
  Composite,    // everything else
};

// What dtypes an op's inputs may have and what it returns; the eager layer also casts mixed inputs
// accordingly (the graph itself never casts silently).
enum class DTypeRule : uint8_t {
  Any,       // `infer` decides
  Same,      // all equal; the result too. Mixed inputs are promoted.
  Floating,  // as Same, floating only; integers are promoted to float32
  Compare,   // all equal; the result is bool. Mixed inputs are promoted.
  Logical,   // bool to bool; other inputs become `x != 0`
  Where,     // (bool, T, T) to T
};

struct AttrDef {
  std::string name;
  AttrKind kind;
  std::optional<AttrValue> default_value;  // absent: the caller must give it (Axes: means all axes)
  std::string doc;
};

struct OpCall {
  const OpDef& op;
  const Attrs& attrs;  // resolved: defaults filled in, axes non-negative
  std::span<const TensorType> inputs;
};

struct GradCall {
  Emitter& emit;
  const OpDef& op;
  const Attrs& attrs;
  std::span<const Value> inputs;
  std::span<const Value> outputs;
  std::span<const Value> output_grads;  // invalid where nothing depends on that output
};

struct DecomposeCall {
  Emitter& emit;
  const OpDef& op;
  const Attrs& attrs;
  std::span<const Value> inputs;
};

// One op is one record; bindings, docs, fusion class and conformance tests follow from it.
struct OpDef {
  std::string name;
  OpClass op_class = OpClass::Composite;
  std::string doc;  // Python docstring: a sentence, arguments where not obvious, a `>>>` example
  std::vector<std::string> inputs;
  bool variadic = false;  // the last input may be repeated, or absent where `infer` allows
  std::vector<std::string> outputs = {"y"};
  std::vector<AttrDef> attrs;
  DTypeRule dtype_rule = DTypeRule::Any;
  bool is_public = true;  // bound into addax.ops

  // Output types; throws ShapeError / DTypeError / InvalidArgumentError beginning with "[name]".
  std::function<std::vector<TensorType>(const OpCall&)> infer;

  // Vector-Jacobian product: one value per input, invalid where there is no gradient. Absent means:
  // differentiate the decomposition if there is one, else the op has no gradient.
  std::function<std::vector<Value>(const GradCall&)> grad;

  // The same outputs from simpler ops, for devices that lack this one. Absent: a primitive.
  std::function<std::vector<Value>(const DecomposeCall&)> decompose;

  // Elementwise only: text of the ScalarExpr over the input names and numeric attributes.
  std::string expr;

  // Which input's memory an output may overwrite, or -1. Elementwise ops need not say. Where the
  // answer depends on attributes this one is cautious: ask `in_place_input` below.
  std::function<int(int output, int num_inputs)> in_place;

  // Adds or normalises attributes before defaults are filled in, for what the kinds cannot express.
  std::function<void(Attrs&, std::span<const TensorType>)> resolve;

  // Floating-point operations of one call, for profiles and benchmarks. Absent: one per output
  // element.
  std::function<double(const OpCall&)> flops;

  const AttrDef* find_attr(std::string_view attr) const;
};

// The Bool, Int and Float attributes as numbers, by name.
std::map<std::string, double, std::less<>> numeric_attrs(const Attrs& attrs);

// The op's scalar expression with the call's numeric attributes substituted.
ScalarExpr scalar_expr(const OpDef& op, const Attrs& attrs);

// Fills in defaults, converts ints to floats where asked, resolves Axis and Axes against the first
// input. Throws InvalidArgumentError for a missing or unknown attribute (suggesting the nearest).
Attrs resolve_attrs(const OpDef& op, Attrs attrs, std::span<const TensorType> inputs);

// Which input's memory `output` may overwrite, or -1: the old tensor for an Update, else what
// `in_place` says. `attrs` are resolved.
int in_place_input(const OpDef& op, const Attrs& attrs, int output, int num_inputs);

// Checks the number of inputs and runs `infer` on resolved attributes.
std::vector<TensorType> infer_types(const OpDef& op, const Attrs& attrs,
                                    std::span<const TensorType> inputs);

}  // namespace addax
