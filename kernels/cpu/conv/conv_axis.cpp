#include "cpu/conv/conv_axis.h"

#include <algorithm>

namespace addax::cpu {
namespace {

// Whether `next` continues `run` by one more position.
bool continues(const AxisRun& run, const AxisRun& next) {
  if (next.first != run.first + run.count * run.step || next.taps.size() != run.taps.size()) {
    return false;
  }
  return std::equal(run.taps.begin(), run.taps.end(), next.taps.begin(),
                    [&](const AxisTap& a, const AxisTap& b) {
                      return a.tap == b.tap && b.source == a.source + run.count * run.source_step;
                    });
}

void append(std::vector<AxisRun>& runs, AxisRun next, bool merge) {
  if (merge && !runs.empty() && continues(runs.back(), next)) {
    ++runs.back().count;
  } else {
    runs.push_back(std::move(next));
  }
}

}  // namespace

std::vector<AxisRun> forward_runs(const ConvAxis& axis, bool merge) {
  std::vector<AxisRun> runs;
  for (int64_t out = 0; out < axis.out(); ++out) {
    AxisRun run{.first = out, .step = 1, .source_step = axis.stride, .taps = {}};
    for (int64_t tap = 0; tap < axis.kernel; ++tap) {
      const int64_t in = out * axis.stride - axis.pad_before + tap * axis.dilation;
      if (in >= 0 && in < axis.in) run.taps.push_back({tap, in});
    }
    append(runs, std::move(run), merge);
  }
  return runs;
}

std::vector<AxisRun> data_runs(const ConvAxis& axis, bool merge) {
  std::vector<AxisRun> runs;
  const int64_t outs = axis.out();
  for (int64_t phase = 0; phase < std::min(axis.stride, axis.in); ++phase) {
    for (int64_t in = phase; in < axis.in; in += axis.stride) {
      AxisRun run{.first = in, .step = axis.stride, .source_step = 1, .taps = {}};
      for (int64_t tap = 0; tap < axis.kernel; ++tap) {
        const int64_t reach = in + axis.pad_before - tap * axis.dilation;
        if (reach < 0 || reach % axis.stride != 0) continue;
        if (reach / axis.stride < outs) run.taps.push_back({tap, reach / axis.stride});
      }
      append(runs, std::move(run), merge);
    }
  }
  return runs;
}

Range tap_reach(const ConvAxis& axis, int64_t tap) {
  const int64_t shift = axis.pad_before - tap * axis.dilation;
  const int64_t begin = shift > 0 ? (shift + axis.stride - 1) / axis.stride : 0;
  const int64_t last = axis.in - 1 + shift;
  const int64_t end = last < 0 ? 0 : std::min(axis.out(), last / axis.stride + 1);
  return {std::min(begin, end), end};
}

}  // namespace addax::cpu
