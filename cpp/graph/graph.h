#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ops/emitter.h"
#include "ops/op_def.h"

namespace addax {

using NodeId = int32_t;
inline constexpr int32_t kNone = -1;

// One SSA value. Exactly one of: graph input, state (value at entry), or output of a node.
struct ValueInfo {
  TensorType type;
  NodeId producer = kNone;
  std::string name;  // inputs and states always; otherwise optional
};

struct Node {
  const OpDef* op = nullptr;  // null: erased
  Attrs attrs;                // resolved
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  std::string label;  // where it came from (layer name), for profiles
};

// A variable carried from step to step in place: `next` is the value that it holds afterwards
// (`next == value` when the graph only reads it).
struct State {
  Value value;
  Value next;
};

// A function over tensors in SSA form. `nodes` is in topological order. Building through Emitter
// keeps every invariant; passes may edit the vectors and then call `compact` and the verifier.
class Graph : public Emitter {
 public:
  explicit Graph(std::string name = "main") : name_(std::move(name)) {}

  Value add_input(std::string name, TensorType type);
  Value add_state(std::string name, TensorType type);
  void set_next(Value state, Value next);  // throws on another type than the state's
  void add_output(Value value);

  // Label given to the nodes emitted from now on.
  void set_label(std::string label) { label_ = std::move(label); }
  const std::string& label() const { return label_; }

  std::vector<Value> emit(const OpDef& op, Attrs attrs, std::span<const Value> inputs) override;
  const TensorType& type(Value value) const override { return info(value).type; }

  const std::string& name() const { return name_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Value>& inputs() const { return inputs_; }
  const std::vector<State>& states() const { return states_; }
  const std::vector<Value>& outputs() const { return outputs_; }
  const ValueInfo& info(Value value) const { return values_[static_cast<size_t>(value.id)]; }
  int32_t num_values() const { return static_cast<int32_t>(values_.size()); }
  // The node that computes `value`; null for inputs and states.
  const Node* producer(Value value) const;
  // How often each value is read by nodes, outputs and states' next values.
  std::vector<int32_t> use_counts() const;

  // For passes.
  std::vector<Node>& mutable_nodes() { return nodes_; }
  // Every reader of `from` (nodes, outputs, next values) reads `to` instead. Types must be equal.
  void replace_uses(Value from, Value to);
  // The same for many values at once: `replacements[v.id]`, where valid, stands for v. Chains are
  // followed. Values beyond the end of the span stay.
  void replace_uses(std::span<const Value> replacements);
  void set_output(size_t index, Value value) { outputs_[index] = value; }
  // Of an input whose readers give what they gave before.
  void set_input_shape(Value input, const Shape& shape) {
    values_[static_cast<size_t>(input.id)].type.shape = shape;
  }
  // Replaces each node for which `chosen` holds and that has a decomposition by it, and asks again
  // for the nodes of the decomposition. The results keep the ids of the node's outputs, so that
  // values held outside stay valid; node ids change.
  void expand(const std::function<bool(const Node&)>& chosen);
  // Drops erased nodes and unused values, sorts nodes topologically (stable), renumbers values in
  // order of definition.
  void compact();

 private:
  Value new_value(TensorType type, NodeId producer, std::string name = {});
  void place_expanded(Node node, const std::function<bool(const Node&)>& chosen);
  void refresh_producers();
  void sort_nodes();

  std::string name_;
  std::string label_;
  std::vector<ValueInfo> values_;
  std::vector<Node> nodes_;
  std::vector<Value> inputs_;
  std::vector<State> states_;
  std::vector<Value> outputs_;
};

}  // namespace addax
