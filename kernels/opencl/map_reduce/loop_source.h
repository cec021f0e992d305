#pragma once

#include <string>
#include <vector>

#include "opencl/lowering/view.h"
#include "opencl/map_reduce/map_reduce.h"

namespace addax::opencl {

// The text of a loop's expression for one element, and the arguments that it takes. The kernel
// knows the element by `i`, its number in the domain, and by its positions on runs of axes.
class LoopSource {
 public:
  // Three runs, `outer`, `row` and `column`, as the loop's extents say.
  static LoopSource of_reduction(MapReduce loop);
  // The last axis and the one before it are runs of their own, `column` and `row`; what is further
  // out is `outer`.
  static LoopSource of_map(MapReduce loop);

  const MapReduce& loop() const { return loop_; }
  // Whether an input needs the positions.
  bool is_strided() const { return !domain_.dims.empty(); }
  // The domain's extents, merged as far as the inputs allow, if one is strided.
  const Dims& domain() const { return domain_.dims; }

  // Parameters of the kernel, each behind a comma; T and scalar_ops.cl come in front of the kernel.
  std::string preamble(const Limits& limits) const;
  std::string parameters() const;
  void pass(Launch& launch) const;
  // Makes v<k> of `i`, `outer`, `row` and `column`, for each of the expression's instructions.
  std::string evaluate() const;
  // What output k is made of.
  std::string value(size_t k) const { return "v" + std::to_string(loop_.expr.outputs[k]); }

 private:
  explicit LoopSource(MapReduce loop) : loop_(std::move(loop)) {}
  static bool is_strided(const MapReduce::Input& input);
  std::vector<View*> strided();
  std::string positions() const;
  std::string index(size_t input) const;

  MapReduce loop_;
  View domain_;
  std::vector<size_t> ends_;  // of the runs
};

}  // namespace addax::opencl
