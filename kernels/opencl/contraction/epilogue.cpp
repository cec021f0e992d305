#include "opencl/contraction/epilogue.h"

#include <algorithm>

#include "opencl/lowering/render.h"

namespace addax::opencl {
namespace {

std::string extra_name(size_t i) { return "extra" + std::to_string(i); }

// Repeats one dense row.
bool is_row(const View& view) {
  for (size_t axis = 0; axis + 1 < view.dims.size(); ++axis) {
    if (view.dims[axis] != 1 && view.steps[axis] != 0) return false;
  }
  return view.steps.back() == 1;
}

std::string finish_text(const std::string& parameters, const std::string& arguments,
                        const std::string& body) {
  return define("EXTRAS", parameters) + define("EXTRA_ARGUMENTS", arguments) +
         "inline void finish(const int at, const int column, const T sum, __global uchar* y "
         "EXTRAS) {\n" +
         body + "}\n";
}

std::string store_text(DType dtype, const std::string& value) {
  return "  STORE_" + std::string(name(dtype)) + "(y, at, " + value + ");\n";
}

}  // namespace

Epilogue::Epilogue(const Node& node, DType compute)
    : node_(node), compute_(compute), is_plain_(!node.op().ends_with("_epilogue")) {
  if (is_plain_) return;
  for (size_t i = 2; i < node.inputs().size(); ++i) {
    extras_.push_back({node.input(i), broadcast_view(node.input(i).dims, node.output().dims)});
  }
}

std::string Epilogue::Extra::index() const {
  if (view.is_uniform()) return "0";
  if (view.is_dense()) return "at";
  return is_row(view) ? "column" : "";
}

bool Epilogue::needs_domain() const {
  return std::any_of(extras_.begin(), extras_.end(),
                     [](const Extra& extra) { return extra.index().empty(); });
}

std::string Epilogue::plain(DType compute) {
  return define("PLAIN_STORE", 1) + finish_text("", "", store_text(compute, "sum"));
}

std::string Epilogue::text() const {
  const DType stored = dtype_of(node_.output());
  if (is_plain_) {
    return stored == compute_ ? plain(compute_) : finish_text("", "", store_text(stored, "sum"));
  }
  std::string parameters, arguments;
  if (needs_domain()) {
    parameters = ", const Domain domain";
    arguments = ", domain";
  }
  for (size_t i = 0; i < extras_.size(); ++i) {
    const std::string name = extra_name(i);
    parameters.append(", TENSOR(").append(name).append(")");
    arguments.append(", ").append(name).append("_base, ").append(name).append("_at");
    if (!extras_[i].index().empty()) continue;
    parameters.append(", const Steps ").append(name).append("_steps");
    arguments.append(", ").append(name).append("_steps");
  }
  const ScalarExpr expr =
      ScalarExpr::parse_canonical(node_.text("epilogue"), static_cast<int32_t>(extras_.size()) + 1);
  const std::string body = statements(expr, compute_, [&](size_t i) -> std::string {
    if (i == 0) return "sum";
    const Extra& extra = extras_[i - 1];
    const std::string name = extra_name(i - 1);
    const std::string index =
        extra.index().empty() ? "place(at, domain, " + name + "_steps)" : extra.index();
    return load(dtype_of(extra.tensor), name, index);
  });
  return finish_text(parameters, arguments,
                     body + store_text(stored, "v" + std::to_string(expr.outputs[0])));
}

void Epilogue::add_arguments(Launch& launch) const {
  std::vector<View> views;
  for (const Extra& extra : extras_) views.push_back(extra.view);
  View domain = dense_view(node_.output().dims);
  std::vector<View*> all = {&domain};
  for (View& view : views) all.push_back(&view);
  collapse(all);
  if (needs_domain()) launch.value(cl_domain(domain));
  for (size_t i = 0; i < extras_.size(); ++i) {
    launch.tensor(extras_[i].tensor);
    if (extras_[i].index().empty()) launch.value(cl_steps(views[i]));
  }
}

}  // namespace addax::opencl
