#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "core/error.h"
#include "graph/base64.h"
#include "graph/text.h"
#include "ops/registry.h"

namespace addax {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Graph parse() {
    expect("graph");
    Graph graph{std::string(word("a name"))};
    expect("{");
    while (!accept("}")) {
      if (accept_word("return")) {
        do {
          graph.add_output(lookup(value_name()));
        } while (accept(","));
      } else {
        definition(graph);
      }
    }
    skip_space();
    if (position_ != text_.size()) fail("expected the end");
    for (const auto& [state, next, position] : nexts_) {
      position_ = position;
      const Value value = lookup(next);
      guarded([&, state = state] { graph.set_next(state, value); });
    }
    return graph;
  }

 private:
  struct Next {
    Value state;
    std::string_view name;
    size_t position;
  };

  [[noreturn]] void fail(const std::string& what) const {
    size_t line = 1;
    size_t column = 1;
    for (char c : text_.substr(0, position_)) {
      column = c == '\n' ? 1 : column + 1;
      if (c == '\n') ++line;
    }
    throw InvalidArgumentError("graph text, line " + std::to_string(line) + ", column " +
                               std::to_string(column) + ": " + what);
  }

  // Runs something that throws the op's own errors and adds where that was.
  template <typename Body>
  auto guarded(Body body) -> decltype(body()) {
    try {
      return body();
    } catch (const Error& error) {
      fail(error.what());
    }
  }

  void skip_space() {
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c == '#') {
        const size_t end = std::min(text_.find('\n', position_), text_.size());
        comment_ = text_.substr(position_ + 1, end - position_ - 1);
        while (!comment_.empty() && comment_.front() == ' ') comment_.remove_prefix(1);
        position_ = end;
      } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
        ++position_;
      } else {
        return;
      }
    }
  }

  bool peek(std::string_view symbol) {
    skip_space();
    return text_.substr(position_, symbol.size()) == symbol;
  }

  bool accept(std::string_view symbol) {
    if (!peek(symbol)) return false;
    position_ += symbol.size();
    return true;
  }

  bool accept_word(std::string_view wanted) {
    skip_space();
    const size_t begin = position_;
    if (accept(wanted) && (position_ == text_.size() || !is_word(text_[position_]))) return true;
    position_ = begin;
    return false;
  }

  void expect(std::string_view symbol) {
    if (!accept(symbol)) fail("expected '" + std::string(symbol) + "'");
  }

  std::string_view word(const char* what) {
    skip_space();
    const size_t begin = position_;
    while (position_ < text_.size() && is_word(text_[position_])) ++position_;
    if (position_ == begin) fail(std::string("expected ") + what);
    return text_.substr(begin, position_ - begin);
  }

  std::string_view value_name() {
    expect("%");
    return word("a value's name");
  }

  Value lookup(std::string_view name) {
    const auto found = values_.find(name);
    if (found == values_.end()) fail("there is no value %" + std::string(name));
    return found->second;
  }

  void define(std::string_view name, Value value) {
    if (!values_.emplace(name, value).second) {
      fail("%" + std::string(name) + " is defined twice");
    }
  }

  int64_t integer() {
    skip_space();
    int64_t value = 0;
    const char* begin = text_.data() + position_;
    const auto [stop, status] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (status != std::errc()) fail("expected an integer");
    position_ += static_cast<size_t>(stop - begin);
    return value;
  }

  double real() {
    skip_space();
    double value = 0;
    const char* begin = text_.data() + position_;
    const auto [stop, status] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (status != std::errc()) fail("expected a number");
    position_ += static_cast<size_t>(stop - begin);
    return value;
  }

  std::string quoted() {
    expect("\"");
    std::string result;
    for (; position_ < text_.size() && text_[position_] != '"'; ++position_) {
      const bool escape = text_[position_] == '\\' && position_ + 1 < text_.size();
      if (escape) ++position_;
      result += escape && text_[position_] == 'n' ? '\n' : text_[position_];
    }
    if (position_ == text_.size()) fail("the string has no end");
    ++position_;
    return result;
  }

  Ints ints() {
    expect("[");
    Ints values;
    if (accept("]")) return values;
    do {
      values.push_back(integer());
    } while (accept(","));
    expect("]");
    return values;
  }

  DType dtype() {
    skip_space();
    const size_t begin = position_;
    const std::string_view name = word("a dtype");
    const std::optional<DType> found = dtype_from_name(name);
    if (!found) {
      position_ = begin;
      fail("there is no dtype '" + std::string(name) + "'");
    }
    return *found;
  }

  Shape shape() {
    const Ints dims = ints();
    return guarded([&] { return Shape(std::span<const int64_t>(dims)); });
  }

  TensorType tensor_type() {
    const DType type = dtype();
    return {type, shape()};
  }

  std::vector<std::byte> literal_element(DType type) {
    if (!is_integer(type)) return scalar_literal(real(), type).data;
    const int64_t value = integer();
    if (type != DType::Int64) return scalar_literal(static_cast<double>(value), type).data;
    std::vector<std::byte> bytes(sizeof value);
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
  }

  std::shared_ptr<const Literal> literal(TensorType type) {
    auto result = std::make_shared<Literal>(Literal{type, {}});
    if (peek("\"")) {
      std::optional<std::vector<std::byte>> data = base64_decode(quoted());
      if (!data) fail("the literal is not base64");
      result->data = std::move(*data);
    } else {
      expect("(");
      if (!accept(")")) {
        do {
          const std::vector<std::byte> bytes = literal_element(type.dtype);
          result->data.insert(result->data.end(), bytes.begin(), bytes.end());
        } while (accept(","));
        expect(")");
      }
    }
    if (result->data.size() != type.bytes()) {
      fail("the literal's data is " + std::to_string(result->data.size()) + " bytes long, " +
           type.to_string() + " needs " + std::to_string(type.bytes()));
    }
    return result;
  }

  AttrValue attr_value() {
    if (peek("\"")) return quoted();
    if (peek("[")) return ints();
    if (accept_word("true")) return true;
    if (accept_word("false")) return false;
    skip_space();
    const size_t end = text_.find_first_of(" ,}\n", position_);
    const std::string_view token = text_.substr(position_, end - position_);
    const bool negative = token.starts_with('-');
    const bool named = token.substr(negative) == "inf" || token.substr(negative) == "nan";
    const char first = token.empty() ? ' ' : token[negative ? 1 : 0];
    if (named || (first >= '0' && first <= '9')) {
      if (named || token.find_first_of(".e") != std::string_view::npos) return real();
      return integer();
    }
    const DType type = dtype();
    if (!peek("[")) return type;
    return literal({type, shape()});
  }

  Attrs attrs() {
    Attrs result;
    if (!accept("{") || accept("}")) return result;
    do {
      std::string name(word("an attribute's name"));
      expect("=");
      result.set(std::move(name), attr_value());
    } while (accept(","));
    expect("}");
    return result;
  }

  void definition(Graph& graph) {
    std::vector<std::string_view> names = {value_name()};
    while (accept(",")) names.push_back(value_name());
    expect("=");
    const bool is_input = names.size() == 1 && accept_word("input");
    const bool is_state = !is_input && names.size() == 1 && accept_word("state");
    if (is_input || is_state) {
      std::string title = quoted();
      expect(":");
      const TensorType type = tensor_type();
      define(names[0], is_input ? graph.add_input(std::move(title), type)
                                : graph.add_state(std::move(title), type));
      if (is_state && accept("->")) {
        const std::string_view next = value_name();
        nexts_.push_back({values_.at(names[0]), next, position_});
      }
      return;
    }
    operation(graph, names);
  }

  void operation(Graph& graph, const std::vector<std::string_view>& names) {
    skip_space();
    const size_t begin = position_;
    const std::string_view op_name = word("an op's name");
    std::vector<Value> inputs;
    expect("(");
    if (!accept(")")) {
      do {
        inputs.push_back(lookup(value_name()));
      } while (accept(","));
      expect(")");
    }
    // Attributes, types and label stand on the same line; later comments are no labels.
    const std::string_view whole = text_;
    text_ = text_.substr(0, text_.find('\n', position_));
    comment_ = {};
    Attrs call_attrs = attrs();
    const size_t end = position_;
    position_ = begin;
    const std::vector<Value> outputs = guarded([&] {
      return graph.emit(OpRegistry::instance().at(op_name), std::move(call_attrs), inputs);
    });
    if (outputs.size() != names.size()) {
      fail("[" + std::string(op_name) + "] returns " + std::to_string(outputs.size()) +
           " values, not " + std::to_string(names.size()));
    }
    for (size_t i = 0; i < names.size(); ++i) define(names[i], outputs[i]);
    position_ = end;
    if (accept(":")) stated_types(graph, op_name, outputs);
    skip_space();
    graph.mutable_nodes().back().label = std::string(comment_);
    text_ = whole;
  }

  void stated_types(const Graph& graph, std::string_view op_name,
                    const std::vector<Value>& outputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (i > 0) expect(",");
      const TensorType stated = tensor_type();
      if (stated == graph.type(outputs[i])) continue;
      fail("[" + std::string(op_name) + "] returns " + graph.type(outputs[i]).to_string() +
           ", not " + stated.to_string());
    }
  }

  std::string_view text_;
  size_t position_ = 0;
  std::string_view comment_;
  std::unordered_map<std::string_view, Value> values_;
  std::vector<Next> nexts_;
};

}  // namespace

Graph parse_graph(std::string_view text) { return Parser(text).parse(); }

}  // namespace addax
