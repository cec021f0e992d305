#include "opencl/map_reduce.h"

#include <algorithm>
#include <bit>

#include "opencl/render.h"
#include "opencl/sources.h"

namespace addax::opencl {
namespace {

constexpr int64_t kMostColumns = 32;

std::string numbered(const char* name, size_t i) { return name + std::to_string(i); }

int64_t ceil_power(int64_t n) {
  return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(n, 1))));
}

// The text of one loop's kernel, and the arguments that it takes.
class Renderer {
 public:
  Renderer(const Lowering& to, MapReduce loop) : to_(to), loop_(std::move(loop)) {
    std::vector<View*> strided;
    for (MapReduce::Input& input : loop_.inputs) {
      if (is_strided(input)) strided.push_back(&input.view);
    }
    if (strided.empty()) return;
    View domain = dense_view(strided.front()->dims);
    strided.push_back(&domain);
    collapse(strided);
    domain_ = cl_domain(domain);
    has_domain_ = true;
  }

  Launch map() {
    const int64_t count = loop_.outer * loop_.reduced * loop_.inner;
    std::string text = head("map", "const int count");
    text += "  const int i = get_global_id(0);\n  if (i >= count) return;\n" + evaluate();
    for (size_t k = 0; k < loop_.outputs.size(); ++k) text += put_out(k, "i", value(k));
    Launch launch(text + "}\n", "map");
    launch.extent(count);
    return arguments(std::move(launch));
  }

  Launch reduce() {
    const int64_t group = to_.limits.work_group;
    const int64_t columns = std::min({ceil_power(loop_.inner), kMostColumns, group});
    const int64_t lanes = std::min(ceil_power(loop_.reduced), group / columns);
    std::string text = define("COLUMNS", columns) + define("LANES", lanes);
    text += head("reduce", "const int reduced, const int inner");
    text +=
        "  const int column = get_global_id(0), lane = get_local_id(1), outer = get_group_id(2);\n"
        "  const int mine = lane * COLUMNS + get_local_id(0);\n";
    for (size_t k : folds()) {
      text += "  __local T parts" + std::to_string(k) + "[LANES * COLUMNS];\n  T total" +
              std::to_string(k) + " = IDENTITY_" + fold(k) + ";\n";
    }
    text +=
        "  for (int r = lane; r < reduced && column < inner; r += LANES) {\n"
        "  const int i = (outer * reduced + r) * inner + column;\n";
    text += evaluate();
    for (size_t k = 0; k < loop_.outputs.size(); ++k) {
      const std::string total = numbered("total", k);
      text += fold(k) == "none" ? put_out(k, "i", value(k))
                                : "  " + total + " = " + folded(k, total, value(k)) + ";\n";
    }
    text += "  }\n";
    for (size_t k : folds())
      text += "  parts" + std::to_string(k) + "[mine] = total" + std::to_string(k) + ";\n";
    text +=
        "  for (int half_ = LANES / 2; half_ > 0; half_ /= 2) {\n"
        "  barrier(CLK_LOCAL_MEM_FENCE);\n"
        "  if (lane < half_) {\n";
    for (size_t k : folds()) {
      const std::string part = numbered("parts", k);
      text += "  " + part +
              "[mine] = " + folded(k, part + "[mine]", part + "[mine + half_ * COLUMNS]") + ";\n";
    }
    text += "  }\n  }\n  if (lane != 0 || column >= inner) return;\n";
    for (size_t k : folds()) {
      text += put_out(k, "outer * inner + column", numbered("parts", k) + "[mine]");
    }
    Launch launch(text + "}\n", "reduce");
    launch.extent(loop_.reduced).extent(loop_.inner);
    launch.over({loop_.inner, lanes, loop_.outer}, {columns, lanes, 1});
    return arguments(std::move(launch));
  }

 private:
  static bool is_strided(const MapReduce::Input& input) {
    return !input.view.is_uniform() && (!input.view.is_dense() || input.view.offset != 0);
  }

  const std::string& fold(size_t k) const { return loop_.outputs[k].fold; }
  std::vector<size_t> folds() const {
    std::vector<size_t> found;
    for (size_t k = 0; k < loop_.outputs.size(); ++k) {
      if (fold(k) != "none") found.push_back(k);
    }
    return found;
  }
  std::string folded(size_t k, const std::string& a, const std::string& b) const {
    return "FOLD_" + fold(k) + "(" + a + ", " + b + ")";
  }
  std::string value(size_t k) const { return "v" + std::to_string(loop_.expr.outputs[k]); }
  std::string put_out(size_t k, const std::string& index, const std::string& value) const {
    return "  " + store(dtype_of(loop_.outputs[k].tensor), numbered("y", k), index, value) + ";\n";
  }

  // Up to the body's first statement.
  std::string head(const char* kernel, const std::string& extents) const {
    std::string text = preamble(to_.limits, loop_.compute) + std::string(sources::scalar_ops);
    text += "\n__kernel void " + std::string(kernel) + "(RECORD, " + extents;
    if (has_domain_) text += ", const Domain domain";
    for (size_t i = 0; i < loop_.inputs.size(); ++i) {
      text += ", TENSOR(" + numbered("x", i) + ")";
      if (is_strided(loop_.inputs[i])) text += ", const Steps " + numbered("steps", i);
    }
    for (size_t k = 0; k < loop_.outputs.size(); ++k) text += ", TENSOR(" + numbered("y", k) + ")";
    return text + ") {\n  RETURN_IF_FAILED;\n";
  }

  Launch arguments(Launch launch) const {
    if (has_domain_) launch.value(domain_);
    for (const MapReduce::Input& input : loop_.inputs) {
      launch.tensor(input.tensor);
      if (is_strided(input)) launch.value(cl_steps(input.view));
    }
    for (const MapReduce::Output& output : loop_.outputs) launch.tensor(output.tensor);
    return launch;
  }

  // The values of the element at `i`.
  std::string evaluate() const {
    return statements(loop_.expr, loop_.compute, [&](size_t i) {
      const MapReduce::Input& input = loop_.inputs[i];
      const std::string index = input.view.is_uniform() ? "0"
                                : is_strided(input)
                                    ? "place(i, domain, " + numbered("steps", i) + ")"
                                    : "i";
      return load(dtype_of(input.tensor), numbered("x", i), index);
    });
  }

  const Lowering& to_;
  MapReduce loop_;
  ClDomain domain_{};
  bool has_domain_ = false;
};

}  // namespace

bool MapReduce::folds() const {
  return std::any_of(outputs.begin(), outputs.end(),
                     [](const Output& output) { return output.fold != "none"; });
}

void add_map_reduce(Lowering& to, MapReduce loop) {
  const bool folds = loop.folds();
  const int64_t count = loop.outer * loop.reduced * loop.inner;
  const uint64_t group_bytes = static_cast<uint64_t>(to.limits.work_group) * sizeof(double);
  to.require(!folds || loop.outputs.size() * group_bytes <= to.limits.local_bytes,
             "folds more outputs than local memory holds");
  Renderer renderer(to, std::move(loop));
  if (folds) {
    to.add(renderer.reduce());
  } else {
    to.add_over(count, renderer.map());
  }
}

}  // namespace addax::opencl
