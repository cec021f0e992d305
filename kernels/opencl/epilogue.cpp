#include "opencl/epilogue.h"

#include "opencl/render.h"

namespace addax::opencl {
namespace {

std::string extra_name(size_t i) { return "extra" + std::to_string(i); }

}  // namespace

Epilogue::Epilogue(const Node& node, DType compute)
    : node_(node), compute_(compute), is_plain_(!node.op().ends_with("_epilogue")) {
  if (is_plain_) return;
  for (size_t i = 2; i < node.inputs().size(); ++i) {
    extras_.push_back({node.input(i), broadcast_view(node.input(i).dims, node.output().dims)});
  }
}

std::string Epilogue::text() const {
  std::string parameters, arguments;
  if (!extras_.empty()) {
    parameters = ", const Domain domain";
    arguments = ", domain";
  }
  for (size_t i = 0; i < extras_.size(); ++i) {
    const std::string name = extra_name(i);
    const std::string steps = name + "_steps";
    parameters.append(", TENSOR(").append(name).append("), const Steps ").append(steps);
    arguments.append(", ").append(name).append("_base, ").append(name).append("_at, ");
    arguments.append(steps);
  }
  std::string text = define("EXTRAS", parameters) + define("EXTRA_ARGUMENTS", arguments);
  text += "inline void finish(const int at, const T sum, __global uchar* y EXTRAS) {\n";
  std::string result = "sum";
  if (!is_plain_) {
    const ScalarExpr expr = ScalarExpr::parse_canonical(node_.text("epilogue"),
                                                        static_cast<int32_t>(extras_.size()) + 1);
    text += statements(expr, compute_, [&](size_t i) -> std::string {
      if (i == 0) return "sum";
      const std::string name = extra_name(i - 1);
      const std::string index = "place(at, domain, " + name + "_steps)";
      return load(dtype_of(extras_[i - 1].tensor), name, index);
    });
    result = "v" + std::to_string(expr.outputs[0]);
  }
  return text + "  STORE_" + std::string(name(dtype_of(node_.output()))) + "(y, at, " + result +
         ");\n}\n";
}

void Epilogue::add_arguments(Launch& launch) const {
  if (extras_.empty()) return;
  std::vector<View> views;
  for (const Extra& extra : extras_) views.push_back(extra.view);
  View domain = dense_view(node_.output().dims);
  std::vector<View*> all = {&domain};
  for (View& view : views) all.push_back(&view);
  collapse(all);
  launch.value(cl_domain(domain));
  for (size_t i = 0; i < extras_.size(); ++i) {
    launch.tensor(extras_[i].tensor).value(cl_steps(views[i]));
  }
}

}  // namespace addax::opencl
