#include "passes/uniform.h"

#include <cmath>
#include <cstring>

#include "ops/registry.h"
#include "passes/aliasing.h"

namespace addax {

const Literal* literal_of(const Graph& graph, Value value) {
  const Node* producer = graph.producer(value);
  return producer != nullptr && is_constant(*producer) ? &producer->attrs.literal("value")
                                                       : nullptr;
}

std::optional<double> uniform_value(const Graph& graph, Value value) {
  static const OpDef* broadcast_to = OpRegistry::instance().find("broadcast_to");
  const Node* producer = graph.producer(value);
  while (producer != nullptr && (producer->op == broadcast_to || is_view(*producer))) {
    value = producer->inputs[0];
    producer = graph.producer(value);
  }
  const Literal* literal = literal_of(graph, value);
  if (literal == nullptr || literal->data.empty()) return std::nullopt;
  const size_t size = size_of(literal->type.dtype);
  const std::byte* data = literal->data.data();
  // Equal to itself moved by one element: all elements are equal.
  if (std::memcmp(data, data + size, literal->data.size() - size) != 0) return std::nullopt;
  const double number = element(*literal, 0);
  if (literal->type.dtype == DType::Int64 && std::fabs(number) >= 0x1p53) return std::nullopt;
  return number;
}

}  // namespace addax
