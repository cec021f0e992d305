#include "opencl/map_reduce/reduction_plan.h"

#include <algorithm>
#include <bit>

namespace addax::opencl {
namespace {

constexpr int64_t kMostItems = 128;   // of a work-group
constexpr int64_t kMostColumns = 32;  // of them
constexpr int64_t kTurns = 4;         // that a lane is worth
constexpr int64_t kSplitTurns = 8;    // of each lane, that a split is worth
constexpr int64_t kUsefulGroups = 128;

int64_t floor_power(int64_t n) {
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(n, 1))));
}
int64_t ceil_power(int64_t n) {
  return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(n, 1))));
}
int64_t quotient_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The largest that needs no rest.
int64_t width_for(int64_t extent) {
  int64_t width = 8;
  while (extent % width != 0) width /= 2;
  return width;
}

}  // namespace

ReductionPlan plan_reduction(const Limits& limits, const Extents& extents, uint64_t bytes) {
  ReductionPlan plan;
  plan.by_rows = extents.inner == 1;
  plan.width = width_for(plan.by_rows ? extents.reduced : extents.inner);
  const int64_t turns = extents.reduced / plan.step();
  const int64_t items = extents.results() / plan.results();
  const int64_t group = std::min(kMostItems, limits.work_group);
  const int64_t reserved = plan.by_rows ? 1 : std::min({ceil_power(items), kMostColumns, group});
  plan.lanes = std::min(floor_power(turns / kTurns), group / reserved);
  plan.columns = std::min(ceil_power(items), group / plan.lanes);
  const auto held = static_cast<int64_t>(limits.local_bytes / bytes) / plan.results();
  while (plan.lanes > 1 && plan.lanes * plan.columns > held) {
    (plan.columns > 1 ? plan.columns : plan.lanes) /= 2;
  }
  const int64_t groups = std::max<int64_t>(quotient_up(items, plan.columns), 1);
  const int64_t worth = turns / (plan.lanes * kSplitTurns);
  const int64_t splits =
      std::clamp<int64_t>(kUsefulGroups / groups, 1, std::max<int64_t>(worth, 1));
  const int64_t share = quotient_up(quotient_up(turns, splits), plan.lanes) * plan.lanes;
  plan.splits = share == 0 ? 1 : quotient_up(turns, share);
  plan.share = share * plan.step();
  return plan;
}

}  // namespace addax::opencl
