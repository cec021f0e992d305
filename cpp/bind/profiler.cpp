#include "runtime/profiler.h"

#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "bind/bindings.h"
#include "bind/types.h"

namespace addax::bind {
namespace {

Record to_python(const Span& span) {
  Record record;
  record["op"] = span.op;
  record["label"] = span.label;
  record["begin_ns"] = span.begin_ns;
  record["end_ns"] = span.end_ns;
  record["flops"] = span.flops;
  record["bytes"] = span.bytes;
  record["thread"] = span.thread;
  return record;
}

std::vector<Span> from_python(const Items& records) {
  std::vector<Span> spans;
  for (const py::handle item : records) {
    spans.push_back({.op = item["op"].cast<std::string>(),
                     .label = item["label"].cast<std::string>(),
                     .begin_ns = item["begin_ns"].cast<uint64_t>(),
                     .end_ns = item["end_ns"].cast<uint64_t>(),
                     .flops = item["flops"].cast<double>(),
                     .bytes = item["bytes"].cast<double>(),
                     .thread = item["thread"].cast<uint64_t>()});
  }
  return spans;
}

}  // namespace

void bind_profiler(py::module_& module) {
  module.def(
      "profiler_start", [] { Profiler::instance().start(); },
      "Begins to record every kernel that runs; forgets what was recorded before.");
  module.def(
      "profiler_stop",
      [] {
        Records records;
        for (const Span& span : Profiler::instance().stop()) records.append(to_python(span));
        return records;
      },
      "Ends the recording and returns its spans: dictionaries of op, label, begin_ns, end_ns,\n"
      "flops, bytes and thread.");
  module.def(
      "profile_table", [](const Items& spans) { return profile_table(from_python(spans)); },
      py::arg("spans"), "A text table of spans, one row per op and label.");
  module.def(
      "chrome_trace", [](const Items& spans) { return chrome_trace(from_python(spans)); },
      py::arg("spans"), "Spans as JSON for chrome://tracing and Perfetto.");
}

}  // namespace addax::bind
