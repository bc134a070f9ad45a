#include "core/upstream/balance/load_report.h"

#include <charconv>
#include <cmath>

namespace sluice {
namespace {

// How deep objects and lists may stand in each other.
constexpr int kMaxDepth = 8;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::optional<double> ToNumber(std::string_view text) {
  double number = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stopped != text.data() + text.size()) return std::nullopt;
  return number;
}

// False: it counts, and is nothing that a load can be.
bool Set(std::string_view name, double number, LoadReport& report) {
  double* place = nullptr;
  if (name == "application_utilization") place = &report.application_utilization;
  if (name == "cpu_utilization" || name == "cpu") place = &report.cpu_utilization;
  if (name == "rps_fractional" || name == "rps") place = &report.rps;
  if (name == "eps") place = &report.eps;
  if (place == nullptr) return true;
  *place = number;
  return std::isfinite(number) && number >= 0;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

// JSON (RFC 8259), as far as it takes to find the numbers of the outermost object; the rest is
// passed over.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  std::optional<LoadReport> Read() {
    LoadReport report;
    if (!Object(0, &report)) return std::nullopt;
    Space();
    if (!text_.empty()) return std::nullopt;
    return report;
  }

 private:
  void Space() {
    while (!text_.empty() && IsSpace(text_.front())) text_.remove_prefix(1);
  }
  bool Take(char c) {
    Space();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Escapes are passed over, not resolved: no name that counts has any.
  bool String(std::string_view& value) {
    if (!Take('"')) return false;
    for (size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '"') {
        value = text_.substr(0, i);
        text_.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }
  // `report`: whose numbers count; null for objects further inside.
  bool Object(int depth, LoadReport* report) {
    if (depth > kMaxDepth || !Take('{')) return false;
    if (Take('}')) return true;
    do {
      std::string_view name;
      if (!String(name) || !Take(':') || !Value(depth, name, report)) return false;
    } while (Take(','));
    return Take('}');
  }
  bool List(int depth) {
    if (depth > kMaxDepth || !Take('[')) return false;
    if (Take(']')) return true;
    do {
      if (!Value(depth, {}, nullptr)) return false;
    } while (Take(','));
    return Take(']');
  }
  bool Value(int depth, std::string_view name, LoadReport* report) {
    Space();
    if (text_.empty()) return false;
    if (text_.front() == '{') return Object(depth + 1, nullptr);
    if (text_.front() == '[') return List(depth + 1);
    if (text_.front() == '"') {
      std::string_view ignored;
      return String(ignored);
    }
    size_t length = 0;
    while (length < text_.size() && text_[length] != ',' && text_[length] != '}' &&
           text_[length] != ']' && !IsSpace(text_[length])) {
      ++length;
    }
    const std::string_view word = text_.substr(0, length);
    text_.remove_prefix(length);
    if (word == "true" || word == "false" || word == "null") return true;
    const std::optional<double> number = ToNumber(word);
    return number && (report == nullptr || Set(name, *number, *report));
  }

  std::string_view text_;
};

std::optional<LoadReport> ReadText(std::string_view text) {
  LoadReport report;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view pair = Trim(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::optional<double> number = ToNumber(Trim(pair.substr(equals + 1)));
    if (!number || !Set(Trim(pair.substr(0, equals)), *number, report)) return std::nullopt;
  }
  return report;
}

}  // namespace

std::optional<LoadReport> ParseLoadReport(std::string_view text) {
  text = Trim(text);
  if (text.starts_with("JSON ")) return JsonReader(text.substr(5)).Read();
  if (text.starts_with("TEXT ") || text == "TEXT") return ReadText(text.substr(4));
  if (text.starts_with("{")) return JsonReader(text).Read();
  return ReadText(text);
}

}  // namespace sluice
