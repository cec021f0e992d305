#include "opencl/map_reduce/map_reduce.h"

#include <algorithm>
#include <array>

#include "opencl/lowering/render.h"
#include "opencl/map_reduce/loop_source.h"
#include "opencl/map_reduce/reduction.h"

namespace addax::opencl {
namespace {

// The extents of a launch, the innermost first: an item for each element.
std::vector<int64_t> items_of(const LoopSource& source) {
  if (!source.is_strided()) return {source.loop().extents.elements()};
  Dims dims = source.domain();
  while (dims.size() > 3) {
    dims[1] *= dims[0];
    dims.erase(dims.begin());
  }
  std::reverse(dims.begin(), dims.end());
  return dims;
}

void add_map(Lowering& to, const LoopSource& source) {
  const auto& outputs = source.loop().outputs;
  const std::vector<int64_t> items = items_of(source);
  constexpr std::array<const char*, 3> kNames = {"column", "row", "outer"};
  std::string extents, position, guard;
  std::string number = "0";
  for (size_t axis = items.size(); axis-- > 0;) {
    const std::string name = kNames[axis], extent = name + "s", id = std::to_string(axis);
    extents += ", const int " + extent;
    position.append("  const int ").append(name).append(" = get_global_id(").append(id);
    position += ");\n";
    guard.append(guard.empty() ? "" : " || ").append(name).append(" >= ").append(extent);
    if (number == "0") {
      number = name;
    } else {
      number.insert(0, "(").append(") * ").append(extent).append(" + ").append(name);
    }
  }
  std::string text = source.preamble(to.limits) + "__kernel void map(RECORD" + extents;
  text += source.parameters();
  for (size_t k = 0; k < outputs.size(); ++k) text += ", TENSOR(y" + std::to_string(k) + ")";
  text += ") {\n  RETURN_IF_FAILED;\n" + position + "  if (" + guard + ") return;\n";
  text += "  const int i = " + number + ";\n" + source.evaluate();
  for (size_t k = 0; k < outputs.size(); ++k) {
    text +=
        "  " + store(dtype_of(outputs[k].tensor), "y" + std::to_string(k), "i", source.value(k));
    text += ";\n";
  }
  Launch launch(text + "}\n", "map");
  for (size_t axis = items.size(); axis-- > 0;) launch.extent(items[axis]);
  source.pass(launch);
  for (const MapReduce::Output& output : outputs) launch.tensor(output.tensor);
  to.add_over(items, std::move(launch));
}

}  // namespace

bool MapReduce::folds() const {
  return std::any_of(outputs.begin(), outputs.end(),
                     [](const Output& output) { return output.fold != "none"; });
}

void add_map_reduce(Lowering& to, MapReduce loop) {
  if (loop.folds()) {
    add_reduction(to, LoopSource::of_reduction(std::move(loop)));
  } else {
    add_map(to, LoopSource::of_map(std::move(loop)));
  }
}

}  // namespace addax::opencl
