#pragma once

#include "ops/op_def.h"

namespace addax {

// What contractions with an epilogue share. Their inputs are the two operands and then the extras,
// each of which broadcasts to the result's shape; the attribute `epilogue` is the text of a scalar
// expression over i0, the accumulator, and i1 ..., the extras.
AttrDef epilogue_attr();

// Throws unless the epilogue has one output and the extras fit the result's shape.
void check_epilogue(const OpCall& call, const Shape& shape);

// The epilogue as elementwise ops on the contraction's result, of whose type the value returned is.
Value emit_epilogue(const DecomposeCall& call, Value accumulator);

double epilogue_flops(const OpCall& call, const Shape& shape);

}  // namespace addax
