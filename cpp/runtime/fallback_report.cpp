#include "runtime/fallback_report.h"

#include <mutex>
#include <set>

#include "core/env.h"
#include "passes/aliasing.h"
#include "passes/place.h"

namespace addax {
namespace {

void (*the_receiver)(const std::string& text) = [](const std::string& text) {
  env::log("device", text);
};

// What the receiver has been told.
class Told {
 public:
  bool add(const std::string& call) {
    const std::lock_guard lock(mutex_);
    return calls_.insert(call).second;
  }
  void remove(const std::vector<std::string>& calls) {
    const std::lock_guard lock(mutex_);
    for (const std::string& call : calls) calls_.erase(call);
  }

  void forget() {
    const std::lock_guard lock(mutex_);
    calls_.clear();
  }

 private:
  std::mutex mutex_;
  std::set<std::string> calls_;
};

Told& told() {
  static Told calls;
  return calls;
}

struct Cost {
  uint64_t to_host = 0;
  uint64_t from_host = 0;

  std::string to_string() const {
    return std::to_string(to_host) + " bytes to and " + std::to_string(from_host) +
           " bytes from the host";
  }
};

std::string cost_text(const Graph& graph, const Node& node, const PlacedSegments& placed) {
  const Aliases aliases(graph);
  const auto slot_of = [&](Value value) -> const PlacedSlot* {
    const int32_t slot = placed.slot_of[static_cast<size_t>(aliases.root(value).id)];
    return slot == kNone ? nullptr : &placed.slots[static_cast<size_t>(slot)];
  };
  Cost step;
  Cost run;
  std::set<int32_t> counted;
  for (const Value input : node.inputs) {
    const PlacedSlot* const slot = slot_of(input);
    if (slot == nullptr || !counted.insert(aliases.root(input).id).second) continue;
    if (slot->copied_each_step)
      step.to_host += slot->bytes;
    else if (slot->copied_at_entry)
      run.to_host += slot->bytes;
  }
  for (const Value output : node.outputs) {
    const PlacedSlot* const slot = slot_of(output);
    if (slot == nullptr) continue;
    if (slot->copied_each_step)
      step.from_host += slot->bytes;
    else if (slot->copied_at_exit)
      run.from_host += slot->bytes;
  }
  std::string text = "costs " + step.to_string() + " each step";
  if (run.to_host + run.from_host > 0) text += ", " + run.to_string() + " each run";
  return text;
}

}  // namespace

void set_warning_receiver(void (*receiver)(const std::string& text)) {
  the_receiver = receiver;
  told().forget();
}

void report_fallback(const Graph& graph, const std::vector<NodeId>& refused,
                     const PlacedSegments& placed, const Device& device, const Device& host) {
  std::vector<std::string> calls;
  std::string text;
  for (const NodeId id : refused) {
    const Node& node = graph.nodes()[static_cast<size_t>(id)];
    const std::string call = "[" + node.op->name + "] " + device.name() + " has no kernel for " +
                             describe_types(graph, node);
    if (!told().add(call)) continue;
    calls.push_back(call);
    text += call + describe_label(node) + ", and the op has no decomposition: it runs on " +
            host.name() + ", which " + cost_text(graph, node, placed) + "\n";
  }
  if (calls.empty()) return;
  try {
    the_receiver(text +
                 "Use another dtype or another device, or set ADDAX_STRICT=1 to have this "
                 "raised.");
  } catch (...) {
    told().remove(calls);
    throw;
  }
}

}  // namespace addax
