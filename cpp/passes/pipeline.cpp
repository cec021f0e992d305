#include "passes/pipeline.h"

#include <array>

#include "core/env.h"
#include "graph/text.h"
#include "graph/verifier.h"

namespace addax {
namespace {

constexpr Pass kDeadCode = {"dce", passes::eliminate_dead_code};
constexpr Pass kFold = {"constant_folding", passes::fold_constants};
constexpr Pass kSimplify = {"simplify", passes::simplify};
constexpr Pass kCommon = {"cse", passes::eliminate_common_subexpressions};
constexpr Pass kDecompose = {"decompose", passes::decompose};

// Clean before and after decomposition. Epilogues take what they can before the rest is grouped;
// a device that refuses either kind of fused node gets back, by decomposition, what went into it.
constexpr std::array kPipeline = {
    kDeadCode,
    Pass{"drop_vanishing_sums", passes::drop_vanishing_sums},
    kFold,
    kSimplify,
    kCommon,
    Pass{"fold_casts", passes::fold_casts},
    Pass{"hoist_over_pooling", passes::hoist_over_pooling},
    kDecompose,
    kFold,
    kSimplify,
    kCommon,
    kDeadCode,
    Pass{"keep_argmax", passes::keep_argmax},
    Pass{"fold_affine", passes::fold_affine},
    Pass{"fuse_epilogue", passes::fuse_epilogue},
    kDecompose,
    Pass{"fuse_elementwise", passes::fuse_elementwise},
    kDecompose,
    Pass{"fill_constants", passes::fill_constants},
    kDeadCode,
    Pass{"split_updates", passes::split_updates},
    Pass{"materialize", passes::materialize},
};

}  // namespace

std::span<const Pass> pipeline() { return kPipeline; }

void optimize(Graph& graph, const PassTarget& target) {
  if (env::log_enabled("graph")) env::log("graph", to_text(graph));
  const bool logged = env::log_enabled("passes");
  std::string before = logged ? to_text(graph) : std::string();
  verify(graph, "building");
  for (const Pass& pass : pipeline()) {
    pass.run(graph, target);
    verify(graph, pass.name);
    if (!logged) continue;
    std::string after = to_text(graph);
    if (after != before) env::log("passes", "after " + std::string(pass.name) + "\n" + after);
    before = std::move(after);
  }
}

}  // namespace addax
