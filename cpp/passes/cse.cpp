#include <algorithm>
#include <bit>
#include <functional>
#include <unordered_map>

#include "passes/pass.h"

namespace addax::passes {
namespace {

void mix(size_t& hash, size_t value) {
  hash ^= value + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2);
}

struct AttrHash {
  size_t operator()(const std::string& text) const { return std::hash<std::string>()(text); }
  size_t operator()(const Ints& values) const {
    size_t hash = values.size();
    for (int64_t value : values) mix(hash, std::hash<int64_t>()(value));
    return hash;
  }
  size_t operator()(const std::shared_ptr<const Literal>& literal) const {
    const auto* bytes = reinterpret_cast<const char*>(literal->data.data());
    return std::hash<std::string_view>()({bytes, literal->data.size()});
  }
  size_t operator()(double value) const {
    return std::hash<uint64_t>()(std::bit_cast<uint64_t>(value));
  }
  template <typename T>
  size_t operator()(const T& value) const {
    return std::hash<T>()(value);
  }
};

bool commutes(const OpDef& op) {
  return op.name == "add" || op.name == "multiply" || op.name == "equal" ||
         op.name == "not_equal" || op.name == "logical_and" || op.name == "logical_or" ||
         op.name == "logical_xor";
}

size_t hash_of(const Node& node, std::span<const Value> inputs) {
  size_t hash = std::hash<const OpDef*>()(node.op);
  for (const auto& [name, value] : node.attrs) mix(hash, std::visit(AttrHash(), value));
  for (Value input : inputs) mix(hash, static_cast<size_t>(input.id));
  return hash;
}

}  // namespace

// Nodes come in topological order, so one sweep that renames inputs as it goes finds everything.
// Attributes count as equal only with equal bits: 0.0 and -0.0 compare equal but hash differently.
void eliminate_common_subexpressions(Graph& graph, const PassTarget&) {
  std::vector<Value> replacements(static_cast<size_t>(graph.num_values()));
  std::vector<Node>& nodes = graph.mutable_nodes();
  std::unordered_multimap<size_t, size_t> known;  // hash to node
  std::vector<std::vector<Value>> keys(nodes.size());
  known.reserve(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    Node& node = nodes[i];
    for (Value& input : node.inputs) {
      const Value other = replacements[static_cast<size_t>(input.id)];
      if (other.valid()) input = other;
    }
    std::vector<Value>& key = keys[i];
    key = node.inputs;
    if (commutes(*node.op) && key[1].id < key[0].id) std::swap(key[0], key[1]);
    const size_t hash = hash_of(node, key);
    const auto [begin, end] = known.equal_range(hash);
    const auto same = std::find_if(begin, end, [&](const auto& entry) {
      const Node& other = nodes[entry.second];
      return other.op == node.op && keys[entry.second] == key && other.attrs == node.attrs;
    });
    if (same == end) {
      known.emplace(hash, i);
      continue;
    }
    const Node& first = nodes[same->second];
    for (size_t k = 0; k < node.outputs.size(); ++k) {
      replacements[static_cast<size_t>(node.outputs[k].id)] = first.outputs[k];
    }
    node.op = nullptr;
  }
  graph.replace_uses(replacements);
  graph.compact();
}

}  // namespace addax::passes
