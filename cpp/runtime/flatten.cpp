#include "runtime/flatten.h"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "passes/aliasing.h"

namespace addax {
namespace {

using Kind = Placement::Kind;

adx_tensor tensor_of(const TensorType& type) {
  adx_tensor tensor{};
  tensor.struct_size = sizeof tensor;
  tensor.dtype = static_cast<int32_t>(type.dtype);
  tensor.rank = type.shape.rank();
  std::copy(type.shape.begin(), type.shape.end(), tensor.dims);
  tensor.binding = -1;
  return tensor;
}

const void* constant_data(const Node& node) { return node.attrs.literal("value").data.data(); }

bool is_passed_on(const AttrValue& value) {
  return !std::holds_alternative<std::shared_ptr<const Literal>>(value);
}

adx_attr attr_of(const std::string& name, const AttrValue& value) {
  adx_attr attr{};
  attr.struct_size = sizeof attr;
  attr.name = name.c_str();
  std::visit(
      [&](const auto& v) {
        using T = std::remove_cvref_t<decltype(v)>;
        if constexpr (std::is_same_v<T, bool>) {
          attr.kind = ADX_ATTR_BOOL;
          attr.i = v ? 1 : 0;
        } else if constexpr (std::is_same_v<T, int64_t>) {
          attr.kind = ADX_ATTR_INT;
          attr.i = v;
        } else if constexpr (std::is_same_v<T, double>) {
          attr.kind = ADX_ATTR_FLOAT;
          attr.f = v;
        } else if constexpr (std::is_same_v<T, std::string>) {
          attr.kind = ADX_ATTR_STRING;
          attr.s = v.c_str();
        } else if constexpr (std::is_same_v<T, Ints>) {
          attr.kind = ADX_ATTR_INTS;
          attr.ints = v.data();
          attr.count = static_cast<int64_t>(v.size());
        } else if constexpr (std::is_same_v<T, DType>) {
          attr.kind = ADX_ATTR_DTYPE;
          attr.i = static_cast<int64_t>(v);
        }
      },
      value);
  return attr;
}

}  // namespace

double node_flops(const Graph& graph, const Node& node) {
  if (node.op->flops) {
    std::vector<TensorType> inputs;
    for (const Value input : node.inputs) inputs.push_back(graph.type(input));
    return node.op->flops(OpCall{*node.op, node.attrs, inputs});
  }
  double elements = 0;
  for (const Value output : node.outputs) {
    elements += static_cast<double>(graph.shape(output).num_elements());
  }
  return elements;
}

FlatGraph::FlatGraph(const Graph& graph, const MemoryPlan& plan) {
  const size_t num_inputs = graph.inputs().size();
  const size_t num_states = graph.states().size();
  for (int32_t id = 0; id < graph.num_values(); ++id) {
    adx_tensor tensor = tensor_of(graph.type({id}));
    const Placement& place = plan.values[static_cast<size_t>(id)];
    const auto bind = [&](size_t first) {
      tensor.storage = ADX_STORAGE_BINDING;
      tensor.binding = static_cast<int32_t>(first) + place.index;
    };
    switch (place.kind) {
      case Kind::Arena:
        tensor.storage = ADX_STORAGE_ARENA;
        break;
      case Kind::Input:
        bind(0);
        break;
      case Kind::State:
        bind(num_inputs);
        break;
      case Kind::Output:
        bind(num_inputs + num_states);
        break;
      case Kind::Constant:
        tensor.storage = ADX_STORAGE_CONSTANT;
        tensor.data = constant_data(graph.nodes()[static_cast<size_t>(place.index)]);
        break;
    }
    tensor.offset = place.offset;
    tensors_.push_back(tensor);
  }
  add_nodes(graph);
  finish(graph, plan.arena_bytes);
}

FlatGraph::FlatGraph(const Graph& graph) {
  const Aliases aliases(graph);
  for (int32_t id = 0; id < graph.num_values(); ++id) {
    adx_tensor tensor = tensor_of(graph.type({id}));
    const Node* const producer = graph.producer(aliases.root({id}));
    if (producer != nullptr && is_constant(*producer)) {
      tensor.storage = ADX_STORAGE_CONSTANT;
      tensor.data = constant_data(*producer);
    } else {
      tensor.storage = ADX_STORAGE_ARENA;
    }
    tensors_.push_back(tensor);
  }
  add_nodes(graph);
  finish(graph, 0);
}

void FlatGraph::add_nodes(const Graph& graph) {
  size_t num_operands = 0;
  size_t num_attrs = 0;
  for (const Node& node : graph.nodes()) {
    num_operands += node.inputs.size() + node.outputs.size();
    num_attrs += static_cast<size_t>(std::distance(node.attrs.begin(), node.attrs.end()));
  }
  operands_.reserve(num_operands);  // nodes point into these
  attrs_.reserve(num_attrs);
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
    const Node& node = graph.nodes()[static_cast<size_t>(id)];
    if (node.op == nullptr || is_view(node) || is_constant(node)) continue;
    adx_node flat{};
    flat.struct_size = sizeof flat;
    flat.op = node.op->name.c_str();
    flat.label = node.label.c_str();
    flat.num_inputs = static_cast<int32_t>(node.inputs.size());
    flat.inputs = operands_.data() + operands_.size();
    for (const Value input : node.inputs) operands_.push_back(input.id);
    flat.num_outputs = static_cast<int32_t>(node.outputs.size());
    flat.outputs = operands_.data() + operands_.size();
    for (const Value output : node.outputs) operands_.push_back(output.id);
    flat.attrs = attrs_.data() + attrs_.size();
    for (const auto& [name, value] : node.attrs) {
      if (is_passed_on(value)) attrs_.push_back(attr_of(name, value));
    }
    flat.num_attrs = static_cast<int32_t>(attrs_.data() + attrs_.size() - flat.attrs);
    flat.flops = node_flops(graph, node);
    nodes_.push_back(flat);
    node_ids_.push_back(id);
  }
}

void FlatGraph::finish(const Graph& graph, uint64_t arena_bytes) {
  flat_.struct_size = sizeof flat_;
  flat_.num_tensors = static_cast<int32_t>(tensors_.size());
  flat_.tensors = tensors_.data();
  flat_.nodes = nodes_.data();
  flat_.num_nodes = static_cast<int32_t>(nodes_.size());
  flat_.num_bindings =
      static_cast<int32_t>(graph.inputs().size() + graph.states().size() + graph.outputs().size());
  flat_.arena_bytes = arena_bytes;
  flat_.name = graph.name().c_str();
}

}  // namespace addax
