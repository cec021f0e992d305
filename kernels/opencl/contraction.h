#pragma once

#include <string>

#include "core/dtype.h"
#include "opencl/lowering.h"

namespace addax::opencl {

// y[batch, m, n] = epilogue(sum over k of a(batch, m, k) * b(batch, k, n)), where loaders written
// in OpenCL C say what a and b are: see contraction.cl.
struct Contraction {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  int64_t y_batch = 0, y_row = 0;  // steps in the output
  std::string loaders;             // text
  bool a_rows_first = false;       // neighbouring rows of a lie closer than neighbouring columns
  bool b_rows_first = false;
};

// One launch for the node, whose inputs are a, b and the extras of its epilogue, if it has one.
// `geometry` is what the loaders' Geometry is there.
template <class Geometry>
void add_contraction(Lowering& to, const Contraction& contraction, const Geometry& geometry);

// The parts of it that do not depend on the geometry: the launch up to y_row, and from there on.
Launch begin_contraction(Lowering& to, const Contraction& contraction);
void end_contraction(Lowering& to, Launch launch);

template <class Geometry>
void add_contraction(Lowering& to, const Contraction& contraction, const Geometry& geometry) {
  Launch launch = begin_contraction(to, contraction);
  launch.value(geometry);
  end_contraction(to, std::move(launch));
}

}  // namespace addax::opencl
