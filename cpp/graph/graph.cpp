#include "graph/graph.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace addax {

Value Graph::new_value(TensorType type, NodeId producer, std::string name) {
  values_.push_back({type, producer, std::move(name)});
  return Value{num_values() - 1};
}

Value Graph::add_input(std::string name, TensorType type) {
  inputs_.push_back(new_value(type, kNone, std::move(name)));
  return inputs_.back();
}

Value Graph::add_state(std::string name, TensorType type) {
  const Value value = new_value(type, kNone, std::move(name));
  states_.push_back({value, value});
  return value;
}

void Graph::set_next(Value state, Value next) {
  const auto found = std::find_if(states_.begin(), states_.end(),
                                  [&](const State& s) { return s.value == state; });
  if (found == states_.end()) {
    throw InvalidArgumentError("set_next: value %" + std::to_string(state.id) +
                               " is not a state of graph '" + name_ + "'");
  }
  const ValueInfo& held = info(state);
  if (type(next).dtype != held.type.dtype) {
    throw DTypeError("state '" + held.name + "' holds " + held.type.to_string() +
                     " and cannot take " + type(next).to_string() + "; cast the new value");
  }
  if (type(next).shape != held.type.shape) {
    throw ShapeError("state '" + held.name + "' holds " + held.type.to_string() +
                     " and cannot take " + type(next).to_string() + "; reshape the new value");
  }
  found->next = next;
}

void Graph::add_output(Value value) { outputs_.push_back(value); }

std::vector<Value> Graph::emit(const OpDef& op, Attrs attrs, std::span<const Value> inputs) {
  std::vector<TensorType> types;
  types.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].valid() || inputs[i].id >= num_values()) {
      throw InvalidArgumentError("[" + op.name + "] input " + std::to_string(i) +
                                 " is not a value of graph '" + name_ + "'");
    }
    types.push_back(type(inputs[i]));
  }
  Node node;
  node.op = &op;
  node.attrs = resolve_attrs(op, std::move(attrs), types);
  node.inputs.assign(inputs.begin(), inputs.end());
  node.label = label_;
  const NodeId id = static_cast<NodeId>(nodes_.size());
  for (const TensorType& result : infer_types(op, node.attrs, types)) {
    node.outputs.push_back(new_value(result, id));
  }
  nodes_.push_back(std::move(node));
  return nodes_.back().outputs;
}

const Node* Graph::producer(Value value) const {
  const NodeId id = info(value).producer;
  return id == kNone ? nullptr : &nodes_[static_cast<size_t>(id)];
}

std::vector<int32_t> Graph::use_counts() const {
  std::vector<int32_t> counts(values_.size(), 0);
  for (const Node& node : nodes_) {
    if (node.op == nullptr) continue;
    for (Value input : node.inputs) ++counts[static_cast<size_t>(input.id)];
  }
  for (const State& state : states_) ++counts[static_cast<size_t>(state.next.id)];
  for (Value output : outputs_) ++counts[static_cast<size_t>(output.id)];
  return counts;
}

void Graph::replace_uses(Value from, Value to) {
  std::vector<Value> replacements(values_.size());
  replacements[static_cast<size_t>(from.id)] = to;
  replace_uses(replacements);
}

void Graph::replace_uses(std::span<const Value> replacements) {
  const auto resolve = [&](Value value) {
    Value result = value;
    while (static_cast<size_t>(result.id) < replacements.size() &&
           replacements[static_cast<size_t>(result.id)].valid()) {
      result = replacements[static_cast<size_t>(result.id)];
    }
    if (result != value && type(result) != type(value)) {
      throw InternalError("replace_uses: " + type(value).to_string() + " cannot become " +
                          type(result).to_string());
    }
    return result;
  };
  for (Node& node : nodes_) {
    if (node.op == nullptr) continue;
    for (Value& input : node.inputs) input = resolve(input);
  }
  for (State& state : states_) state.next = resolve(state.next);
  for (Value& output : outputs_) output = resolve(output);
}

void Graph::refresh_producers() {
  for (ValueInfo& value : values_) value.producer = kNone;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    for (Value output : nodes_[i].outputs) {
      values_[static_cast<size_t>(output.id)].producer = static_cast<NodeId>(i);
    }
  }
}

// Each node in the given order, preceded by those of its producers that have not come yet.
void Graph::sort_nodes() {
  std::erase_if(nodes_, [](const Node& node) { return node.op == nullptr; });
  refresh_producers();

  enum class Mark : uint8_t { New, Open, Done };
  std::vector<Mark> marks(nodes_.size(), Mark::New);
  std::vector<NodeId> order;
  order.reserve(nodes_.size());
  std::vector<std::pair<NodeId, size_t>> stack;  // node, next input to look at
  for (NodeId root = 0; root < static_cast<NodeId>(nodes_.size()); ++root) {
    if (marks[static_cast<size_t>(root)] == Mark::Done) continue;
    stack.emplace_back(root, 0);
    while (!stack.empty()) {
      auto& [id, next] = stack.back();
      const Node& node = nodes_[static_cast<size_t>(id)];
      if (next == 0) marks[static_cast<size_t>(id)] = Mark::Open;
      NodeId pending = kNone;
      while (next < node.inputs.size() && pending == kNone) {
        const NodeId producer = info(node.inputs[next++]).producer;
        if (producer == kNone) continue;
        const Mark mark = marks[static_cast<size_t>(producer)];
        if (mark == Mark::Open) {
          throw InternalError("[" + node.op->name + "] depends on its own result in graph '" +
                              name_ + "'");
        }
        if (mark == Mark::New) pending = producer;
      }
      if (pending != kNone) {
        stack.emplace_back(pending, 0);
      } else {
        marks[static_cast<size_t>(id)] = Mark::Done;
        order.push_back(id);
        stack.pop_back();
      }
    }
  }
  if (std::is_sorted(order.begin(), order.end())) return;
  std::vector<Node> sorted;
  sorted.reserve(nodes_.size());
  for (NodeId id : order) sorted.push_back(std::move(nodes_[static_cast<size_t>(id)]));
  nodes_ = std::move(sorted);
}

void Graph::compact() {
  sort_nodes();

  std::vector<Value> boundary = inputs_;
  for (const State& state : states_) boundary.push_back(state.value);
  std::sort(boundary.begin(), boundary.end(), [](Value a, Value b) { return a.id < b.id; });

  std::vector<ValueInfo> old = std::move(values_);
  values_.clear();
  std::vector<Value> renamed(old.size());
  const auto rename = [&](Value& value) { value = renamed[static_cast<size_t>(value.id)]; };
  const auto define = [&](Value value, NodeId producer) {
    ValueInfo& info = old[static_cast<size_t>(value.id)];
    renamed[static_cast<size_t>(value.id)] = new_value(info.type, producer, std::move(info.name));
  };
  for (Value value : boundary) define(value, kNone);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    for (Value& input : nodes_[i].inputs) rename(input);
    for (Value& output : nodes_[i].outputs) {
      define(output, static_cast<NodeId>(i));
      rename(output);
    }
  }
  for (Value& input : inputs_) rename(input);
  for (State& state : states_) {
    rename(state.value);
    rename(state.next);
  }
  for (Value& output : outputs_) rename(output);
}

}  // namespace addax
