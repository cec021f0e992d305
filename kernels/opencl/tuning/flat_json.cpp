#include "opencl/tuning/flat_json.h"

#include <algorithm>

namespace addax::opencl {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }

// Reads from the front of a text; each function says whether it found what it looks for.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool mark(char wanted) {
    skip_blanks();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool string(std::string& out) {
    if (!mark('"')) return false;
    for (; !text_.empty() && text_.front() != '"'; text_.remove_prefix(1)) {
      if (text_.front() == '\\') {
        text_.remove_prefix(1);
        if (text_.empty() || (text_.front() != '"' && text_.front() != '\\')) return false;
      } else if (is_control(text_.front())) {
        return false;
      }
      out += text_.front();
    }
    return mark('"');
  }

  bool at_end() {
    skip_blanks();
    return text_.empty();
  }

 private:
  void skip_blanks() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size()));
  }

  std::string_view text_;
};

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += is_control(c) ? ' ' : c;
  }
  return result + "\"";
}

}  // namespace

std::optional<Texts> parse_flat_json(std::string_view text) {
  Reader reader(text);
  Texts texts;
  if (!reader.mark('{')) return std::nullopt;
  if (!reader.mark('}')) {
    do {
      std::string key, value;
      if (!reader.string(key) || !reader.mark(':') || !reader.string(value)) return std::nullopt;
      texts[key] = value;
    } while (reader.mark(','));
    if (!reader.mark('}')) return std::nullopt;
  }
  return reader.at_end() ? std::optional(texts) : std::nullopt;
}

std::string to_flat_json(const Texts& texts) {
  std::string result = "{";
  for (const auto& [key, value] : texts) {
    result += (result.size() == 1 ? "\n  " : ",\n  ") + quoted(key) + ": " + quoted(value);
  }
  return result + "\n}\n";
}

}  // namespace addax::opencl
