#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "core/error.h"
#include "core/suggest.h"
#include "ops/scalar_expr_builder.h"

namespace addax {
namespace {

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Infix {
  std::string_view symbol;
  ScalarOp op;
};

// Longer symbols stand before their prefixes.
constexpr std::array<Infix, 6> kComparisons = {{{"==", ScalarOp::Equal},
                                                {"!=", ScalarOp::NotEqual},
                                                {"<=", ScalarOp::LessEqual},
                                                {">=", ScalarOp::GreaterEqual},
                                                {"<", ScalarOp::Less},
                                                {">", ScalarOp::Greater}}};
constexpr std::array<Infix, 2> kSums = {{{"+", ScalarOp::Add}, {"-", ScalarOp::Subtract}}};
constexpr std::array<Infix, 4> kProducts = {{{"//", ScalarOp::FloorDivide},
                                             {"*", ScalarOp::Multiply},
                                             {"/", ScalarOp::Divide},
                                             {"%", ScalarOp::Mod}}};

class Parser {
 public:
  Parser(std::string_view text, std::span<const std::string> inputs,
         const std::map<std::string, double, std::less<>>& constants)
      : text_(text), builder_(static_cast<int32_t>(inputs.size())) {
    names_.emplace("inf", builder_.constant(std::numeric_limits<double>::infinity()));
    names_.emplace("nan", builder_.constant(std::numeric_limits<double>::quiet_NaN()));
    for (const auto& [name, value] : constants) {
      names_.insert_or_assign(name, builder_.constant(value));
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      names_.insert_or_assign(inputs[i], builder_.input(static_cast<int32_t>(i)));
    }
  }

  ScalarExpr parse() {
    while (parse_binding()) {
    }
    std::vector<int32_t> outputs = {comparison()};
    while (accept(",")) outputs.push_back(comparison());
    skip_space();
    if (position_ != text_.size()) fail("expected an operator or the end");
    return builder_.build(outputs);
  }

 private:
  // Deeper nesting than any sensible expression; keeps the recursion off the end of the stack.
  static constexpr int kMaxNesting = 200;

  [[noreturn]] void fail(const std::string& what) const { fail(what, position_); }
  [[noreturn]] void fail(const std::string& what, size_t position) const {
    throw InvalidArgumentError("scalar expression '" + std::string(text_) + "', column " +
                               std::to_string(position + 1) + ": " + what);
  }

  void skip_space() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) {
      ++position_;
    }
  }

  bool accept(std::string_view symbol) {
    skip_space();
    if (text_.substr(position_, symbol.size()) != symbol) return false;
    position_ += symbol.size();
    return true;
  }

  void expect(std::string_view symbol) {
    if (!accept(symbol)) fail("expected '" + std::string(symbol) + "'");
  }

  std::string_view accept_name() {
    skip_space();
    const size_t begin = position_;
    if (begin == text_.size() || !starts_name(text_[begin])) return {};
    while (position_ < text_.size() &&
           (starts_name(text_[position_]) || is_digit(text_[position_]))) {
      ++position_;
    }
    return text_.substr(begin, position_ - begin);
  }

  bool parse_binding() {
    skip_space();
    const size_t begin = position_;
    const std::string_view name = accept_name();
    const bool assigns = !name.empty() && accept("=") && text_.substr(position_, 1) != "=";
    if (!assigns) {
      position_ = begin;
      return false;
    }
    if (names_.contains(name)) fail("'" + std::string(name) + "' has a value already", begin);
    const int32_t value = comparison();
    expect(";");
    names_.emplace(name, value);
    return true;
  }

  const Infix* accept_infix(std::span<const Infix> table) {
    for (const Infix& infix : table) {
      if (accept(infix.symbol)) return &infix;
    }
    return nullptr;
  }

  int32_t comparison() {
    if (++nesting_ > kMaxNesting) fail("nested too deep");
    int32_t value = sum();
    if (const Infix* infix = accept_infix(kComparisons)) {
      value = builder_.apply(infix->op, value, sum());
      const size_t second = position_;
      if (accept_infix(kComparisons) != nullptr) {
        fail("comparisons do not chain; write logical_and(a < b, b < c)", second);
      }
    }
    --nesting_;
    return value;
  }

  int32_t sum() {
    int32_t value = product();
    while (const Infix* infix = accept_infix(kSums)) {
      value = builder_.apply(infix->op, value, product());
    }
    return value;
  }

  int32_t product() {
    int32_t value = unary();
    while (const Infix* infix = accept_infix(kProducts)) {
      value = builder_.apply(infix->op, value, unary());
    }
    return value;
  }

  int32_t unary() {
    int signs = 0;
    while (accept("-")) ++signs;
    int32_t value = primary();
    for (; signs > 0; --signs) value = builder_.apply(ScalarOp::Negative, value);
    return value;
  }

  int32_t primary() {
    skip_space();
    const size_t begin = position_;
    if (accept("(")) {
      const int32_t value = comparison();
      expect(")");
      return value;
    }
    if (const std::string_view name = accept_name(); !name.empty()) {
      return accept("(") ? call(name, begin) : named(name, begin);
    }
    return number();
  }

  int32_t number() {
    const char* begin = text_.data() + position_;
    const char* end = text_.data() + text_.size();
    double value = 0;
    const bool plausible = begin != end && (is_digit(*begin) || *begin == '.');
    const auto [stop, status] = std::from_chars(begin, end, value);
    if (!plausible || status != std::errc()) fail("expected a number, a name or '('");
    position_ += static_cast<size_t>(stop - begin);
    return builder_.constant(value);
  }

  int32_t named(std::string_view name, size_t position) const {
    const auto found = names_.find(name);
    if (found != names_.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& entry : names_) known.push_back(entry.first);
    fail("unknown name '" + std::string(name) + "'" + did_you_mean(name, known), position);
  }

  int32_t call(std::string_view name, size_t position) {
    const std::optional<ScalarOp> op = scalar_op_from_name(name);
    if (!op) {
      std::vector<std::string> known;
      for (int i = 0; i < kNumScalarOps; ++i) {
        known.emplace_back(op_name(static_cast<ScalarOp>(i)));
      }
      fail("unknown function '" + std::string(name) + "'" + did_you_mean(name, known), position);
    }
    std::vector<int32_t> arguments;
    if (!accept(")")) {
      do {
        arguments.push_back(comparison());
      } while (accept(","));
      expect(")");
    }
    if (static_cast<int>(arguments.size()) != arity(*op)) {
      fail("'" + std::string(name) + "' takes " + std::to_string(arity(*op)) + " arguments, got " +
               std::to_string(arguments.size()),
           position);
    }
    arguments.resize(3, -1);
    return builder_.apply(*op, arguments[0], arguments[1], arguments[2]);
  }

  std::string_view text_;
  size_t position_ = 0;
  int nesting_ = 0;
  ScalarExprBuilder builder_;
  std::map<std::string, int32_t, std::less<>> names_;
};

}  // namespace

ScalarExpr ScalarExpr::parse(std::string_view text, std::span<const std::string> inputs,
                             const std::map<std::string, double, std::less<>>& constants) {
  return Parser(text, inputs, constants).parse();
}

}  // namespace addax
