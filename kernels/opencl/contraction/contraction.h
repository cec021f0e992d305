#pragma once

#include <string>

#include "core/dtype.h"
#include "opencl/lowering/lowering.h"

namespace addax::opencl {

// y[batch, m, n] = epilogue(sum over k of a(batch, m, k) * b(batch, k, n)), where loaders written
// in OpenCL C say where a and b are: see contraction.cl.
struct Contraction {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  int64_t y_batch = 0, y_row = 0;  // steps in the output
  std::string loaders;             // text
  int64_t run = 0;                 // columns of a that one step walks
  bool a_rows_first = false;       // neighbouring rows of a lie side by side, not columns
  bool b_rows_first = false;
  int64_t a_span = 0;  // how many of them do, again and again
  int64_t b_span = 0;
};

// The launches of one node, whose inputs are a, b and the extras of its epilogue, if it has one.
// `geometry` is what the loaders' Geometry is there.
template <class Geometry>
void add_contraction(Lowering& to, const Contraction& contraction, const Geometry& geometry);

// The same with the geometry as its bytes.
void add_contraction_of(Lowering& to, const Contraction& contraction,
                        std::vector<std::byte> geometry);

template <class Geometry>
void add_contraction(Lowering& to, const Contraction& contraction, const Geometry& geometry) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&geometry);
  add_contraction_of(to, contraction, {bytes, bytes + sizeof geometry});
}

}  // namespace addax::opencl
