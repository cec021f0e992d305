#include "graph/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "graph/base64.h"

namespace addax {
namespace {

constexpr int64_t kMaxNumbers = 16;

std::string number(const Literal& literal, int64_t index) {
  if (literal.type.dtype == DType::Int64) {
    int64_t value = 0;
    std::memcpy(&value, literal.data.data() + static_cast<size_t>(index) * sizeof value,
                sizeof value);
    return std::to_string(value);
  }
  const double value = element(literal, index);
  if (std::isnan(value)) return "nan";
  std::array<char, 32> buffer;
  char* end = buffer.data() + buffer.size();
  // Of float32 and narrower the shortest text that reads back to the same float.
  const auto written = literal.type.dtype == DType::Float64
                           ? std::to_chars(buffer.data(), end, value)
                           : std::to_chars(buffer.data(), end, static_cast<float>(value));
  return std::string(buffer.data(), written.ptr);
}

std::string literal_text(const Literal& literal) {
  std::string text = literal.type.to_string();
  if (literal.type.shape.num_elements() > kMaxNumbers) {
    return text + '"' + base64_encode(literal.data) + '"';
  }
  text += '(';
  for (int64_t i = 0; i < literal.type.shape.num_elements(); ++i) {
    if (i > 0) text += ", ";
    text += number(literal, i);
  }
  return text + ')';
}

std::string quoted(const std::string& text) { return to_string(AttrValue(text)); }

std::string attrs_text(const Attrs& attrs) {
  if (attrs.empty()) return {};
  std::string text = " {";
  for (const auto& [name, value] : attrs) {
    if (text.size() > 2) text += ", ";
    const auto* literal = std::get_if<std::shared_ptr<const Literal>>(&value);
    text += name + '=' + (literal != nullptr ? literal_text(**literal) : to_string(value));
  }
  return text + '}';
}

// Values are numbered as they are printed, so that equal graphs print equally.
class Printer {
 public:
  explicit Printer(const Graph& graph)
      : graph_(graph), numbers_(static_cast<size_t>(graph.num_values()), kNone) {}

  std::string print() {
    struct Entry {
      Value value;
      const State* state;
    };
    std::vector<Entry> boundary;
    for (Value input : graph_.inputs()) boundary.push_back({input, nullptr});
    for (const State& state : graph_.states()) boundary.push_back({state.value, &state});
    std::sort(boundary.begin(), boundary.end(),
              [](const Entry& a, const Entry& b) { return a.value.id < b.value.id; });
    for (const Entry& entry : boundary) define(entry.value);
    for (const Node& node : graph_.nodes()) {
      for (Value output : node.outputs) define(output);
    }

    std::string text = "graph " + graph_.name() + " {\n";
    for (const auto& [value, state] : boundary) {
      const ValueInfo& info = graph_.info(value);
      text += "  " + name(value) + (state != nullptr ? " = state " : " = input ") +
              quoted(info.name) + " : " + info.type.to_string();
      if (state != nullptr && state->next != value) text += " -> " + name(state->next);
      text += '\n';
    }
    for (const Node& node : graph_.nodes()) print_node(node, text);
    if (!graph_.outputs().empty()) text += "  return " + names(graph_.outputs()) + '\n';
    return text + "}\n";
  }

 private:
  void define(Value value) { numbers_[static_cast<size_t>(value.id)] = next_++; }

  std::string name(Value value) const {
    const int32_t number = value.valid() ? numbers_[static_cast<size_t>(value.id)] : kNone;
    return number == kNone ? "%undefined" : '%' + std::to_string(number);
  }

  std::string names(std::span<const Value> values) const {
    std::string text;
    for (Value value : values) {
      if (!text.empty()) text += ", ";
      text += name(value);
    }
    return text;
  }

  void print_node(const Node& node, std::string& text) const {
    if (node.op == nullptr) return;
    text += "  " + names(node.outputs) + " = " + node.op->name + '(' + names(node.inputs) + ')' +
            attrs_text(node.attrs) + " : ";
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (i > 0) text += ", ";
      text += graph_.type(node.outputs[i]).to_string();
    }
    if (!node.label.empty()) text += "  # " + node.label;
    text += '\n';
  }

  const Graph& graph_;
  std::vector<int32_t> numbers_;
  int32_t next_ = 0;
};

}  // namespace

std::string to_text(const Graph& graph) { return Printer(graph).print(); }

}  // namespace addax
