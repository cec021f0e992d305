#include "opencl/map_reduce/reduction.h"

#include <functional>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "opencl/lowering/render.h"
#include "opencl/map_reduce/reduction_plan.h"

namespace addax::opencl {
namespace {

// What is folded, and where its results go.
struct Folded {
  std::string fold;
  std::string value;
  Tensor result;
};

// One pass: an expression for each element of a domain.
struct Pass {
  Extents extents;
  DType compute;
  std::string preamble;
  std::string parameters;  // of the kernel: what it reads, and puts out element by element
  std::function<void(Launch&)> pass;
  std::string evaluate;
  std::vector<Folded> folded;
};

std::string in_braces(const std::string& loop, const std::string& body) {
  return "  " + loop + " {\n" + body + "  }\n";
}

// The body of a kernel: items fold what is theirs, then a tree joins the lanes.
std::string fold_text(const Pass& pass, const ReductionPlan& plan) {
  const std::string each_width = "for (int w = 0; w < WIDTH; ++w)";
  const std::string each_result = "for (int c = 0; c < RESULTS; ++c)";
  std::string declared, begun, folded, narrowed, shared, joined, put_out;
  for (size_t k = 0; k < pass.folded.size(); ++k) {
    const std::string& fold = pass.folded[k].fold;
    const std::string number = std::to_string(k), total = "total" + number, part = "part" + number;
    const auto fold_into = [&](const std::string& to, const std::string& from) {
      std::string text = "  ";
      text.append(to).append(" = FOLD_").append(fold).append("(").append(to);
      return text.append(", ").append(from).append(");\n");
    };
    declared += "  T " + total + "[WIDTH];\n";
    begun.append("  ").append(total).append("[w] = IDENTITY_").append(fold).append(";\n");
    folded += fold_into(total + "[w]", pass.folded[k].value);
    narrowed += fold_into(total + "[w]", total + "[w + half_]");
    shared.append("  ").append(part).append("[mine + c] = ").append(total).append("[c];\n");
    joined += fold_into(part + "[mine + c]", part + "[mine + half_ * COLUMNS * RESULTS + c]");
    const std::string from = plan.lanes == 1 ? total + "[c]" : part + "[mine + c]";
    put_out += "  ";
    if (plan.splits == 1) {
      put_out += store(dtype_of(pass.folded[k].result), "z" + number, "result + c", from);
    } else {
      put_out.append("((__global T*)ADDRESS(z").append(number);
      put_out.append("))[split * results + result + c] = ").append(from);
    }
    put_out += ";\n";
  }
  std::string text = plan.by_rows ? "  const int lane = get_local_id(0), at = get_local_id(1);\n"
                                    "  const int result = get_global_id(1);\n"
                                  : "  const int lane = get_local_id(1), at = get_local_id(0);\n"
                                    "  const int result = get_global_id(0) * WIDTH;\n";
  text += "  const int split = get_group_id(2);\n" + declared + in_braces(each_width, begun);
  const std::string element = plan.by_rows
                                  ? "  const int row = first + w, column = 0;\n"
                                  : "  const int row = first, column = result % inner + w;\n";
  text +=
      "  const int outer = result / inner, end_ = min((split + 1) * share, reduced);\n"
      "  if (result < results)\n";
  text += in_braces(
      "for (int first = split * share + lane * STEP; first < end_; first += LANES * STEP)",
      in_braces(each_width, element +
                                "  const int i = (outer * reduced + row) * inner + column;\n" +
                                pass.evaluate + folded));
  if (plan.by_rows && plan.width > 1) {
    text += in_braces("for (int half_ = WIDTH / 2; half_ > 0; half_ /= 2)",
                      in_braces("for (int w = 0; w < half_; ++w)", narrowed));
  }
  if (plan.lanes > 1) {
    for (size_t k = 0; k < pass.folded.size(); ++k) {
      text += "  __local T part" + std::to_string(k) + "[LANES * COLUMNS * RESULTS];\n";
    }
    text +=
        "  const int mine = (lane * COLUMNS + at) * RESULTS;\n" + in_braces(each_result, shared);
    text += in_braces(
        "for (int half_ = LANES / 2; half_ > 0; half_ /= 2)",
        "  barrier(CLK_LOCAL_MEM_FENCE);\n  if (lane < half_)\n" + in_braces(each_result, joined));
  }
  return text + "  if (lane != 0 || result >= results) return;\n" + in_braces(each_result, put_out);
}

// The pass that folds what the splits of one before have left.
Pass join_of(const Pass& pass, const std::vector<Scratch>& parts, int64_t splits) {
  Pass join{.extents = {1, splits, pass.extents.results()},
            .compute = pass.compute,
            .preamble = pass.preamble,
            .parameters = "",
            .pass =
                [parts](Launch& launch) {
                  for (const Scratch& part : parts) launch.scratch(part);
                },
            .evaluate = "",
            .folded = pass.folded};
  for (size_t k = 0; k < parts.size(); ++k) {
    const std::string number = std::to_string(k);
    join.parameters += ", TENSOR(x" + number + ")";
    join.evaluate.append("  const T v").append(number);
    join.evaluate.append(" = ((const __global T*)ADDRESS(x").append(number).append("))[i];\n");
    join.folded[k].value = "v" + number;
  }
  return join;
}

void add_pass(Lowering& to, const Pass& pass) {
  const uint64_t bytes = plugin::size_of(static_cast<adx_dtype>(pass.compute));
  const Extents& extents = pass.extents;
  const ReductionPlan plan = plan_reduction(to.limits, extents, bytes * pass.folded.size());
  std::string text = pass.preamble + define("WIDTH", plan.width) + define("LANES", plan.lanes) +
                     define("COLUMNS", plan.columns) + define("STEP", plan.step()) +
                     define("RESULTS", plan.results());
  text +=
      "__kernel void reduce(RECORD, const int results, const int reduced, const int inner, "
      "const int share" +
      pass.parameters;
  for (size_t k = 0; k < pass.folded.size(); ++k) text += ", TENSOR(z" + std::to_string(k) + ")";
  text += ") {\n  RETURN_IF_FAILED;\n" + fold_text(pass, plan) + "}\n";
  Launch launch(text, "reduce");
  launch.extent(extents.results()).extent(extents.reduced).extent(extents.inner).extent(plan.share);
  pass.pass(launch);
  std::vector<Scratch> parts;
  for (const Folded& folded : pass.folded) {
    if (plan.splits == 1) {
      launch.tensor(folded.result);
    } else {
      parts.push_back(to.scratch(static_cast<uint64_t>(plan.splits * extents.results()) * bytes));
      launch.scratch(parts.back());
    }
  }
  const int64_t items = extents.results() / plan.results();
  if (plan.by_rows) {
    launch.over({plan.lanes, items, plan.splits}, {plan.lanes, plan.columns, 1});
  } else {
    launch.over({items, plan.lanes, plan.splits}, {plan.columns, plan.lanes, 1});
  }
  to.add(std::move(launch));
  if (plan.splits > 1) add_pass(to, join_of(pass, parts, plan.splits));
}

}  // namespace

void add_reduction(Lowering& to, const LoopSource& source) {
  const MapReduce& loop = source.loop();
  Pass pass{.extents = loop.extents,
            .compute = loop.compute,
            .preamble = source.preamble(to.limits),
            .parameters = source.parameters(),
            .pass = {},
            .evaluate = source.evaluate(),
            .folded = {}};
  std::vector<Tensor> kept;
  for (size_t k = 0; k < loop.outputs.size(); ++k) {
    const MapReduce::Output& output = loop.outputs[k];
    if (output.fold != "none") {
      pass.folded.push_back({output.fold, source.value(k), output.tensor});
      continue;
    }
    const std::string name = "y" + std::to_string(k);
    pass.parameters += ", TENSOR(" + name + ")";
    pass.evaluate += "  " + store(dtype_of(output.tensor), name, "i", source.value(k)) + ";\n";
    kept.push_back(output.tensor);
  }
  pass.pass = [&](Launch& launch) {
    source.pass(launch);
    for (const Tensor& tensor : kept) launch.tensor(tensor);
  };
  add_pass(to, pass);
}

}  // namespace addax::opencl
