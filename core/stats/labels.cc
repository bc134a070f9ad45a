#include "core/stats/labels.h"

#include <algorithm>
#include <cstddef>

namespace sluice {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool IsName(std::string_view name, bool colon) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [colon](char c) {
    return IsLetter(c) || (c >= '0' && c <= '9') || (colon && c == ':');
  });
}

// The length of the UTF-8 sequence that `text` begins with; 0 if it begins with none (RFC 3629: no
// overlong forms, no surrogates, nothing above U+10FFFF).
size_t Utf8Length(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  size_t length = 0;
  unsigned char low = 0x80;  // what the second byte may be
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  }
  if (length == 0 || text.size() < length || byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

void AppendEscaped(std::string_view value, std::string& out) {
  while (!value.empty()) {
    const size_t length = Utf8Length(value);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (value[0] == '\n') {
      out += "\\n";
    } else {
      if (value[0] == '\\' || value[0] == '"') out += '\\';
      out += value.substr(0, length);
    }
    value.remove_prefix(std::max<size_t>(length, 1));
  }
}

// Takes `name="value"`, and the comma behind it, from the begin of `text`.
bool TakeLabel(std::string_view& text, std::string_view& name, std::string& value) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || text.substr(equals + 1, 1) != "\"") return false;
  name = text.substr(0, equals);
  if (!IsName(name, false)) return false;
  value.clear();
  size_t i = equals + 2;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\n') return false;
    const size_t length = Utf8Length(text.substr(i));
    if (length == 0) return false;
    if (length > 1) {
      value += text.substr(i, length);
      i += length - 1;
      continue;
    }
    if (text[i] == '\\') {
      if (++i == text.size() || (text[i] != 'n' && text[i] != '"' && text[i] != '\\')) return false;
      value += text[i] == 'n' ? '\n' : text[i];
    } else {
      value += text[i];
    }
  }
  if (i == text.size()) return false;
  text.remove_prefix(i + 1);
  if (text.empty()) return true;
  if (text[0] != ',') return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

bool IsMetricName(std::string_view name) { return IsName(name, true); }
bool IsLabelName(std::string_view name) { return IsName(name, false); }

std::string CanonicalLabels(const LabelList& labels) {
  LabelList sorted = labels;
  std::sort(sorted.begin(), sorted.end(),
            [](const Label& a, const Label& b) { return a.name < b.name; });
  std::string out;
  for (const Label& label : sorted) {
    if (!out.empty()) out += ',';
    out += label.name;
    out += "=\"";
    AppendEscaped(label.value, out);
    out += '"';
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> ParseLabels(std::string_view canonical) {
  std::vector<std::pair<std::string, std::string>> labels;
  while (!canonical.empty()) {
    std::string_view name;
    std::string value;
    if (!TakeLabel(canonical, name, value)) break;
    labels.emplace_back(name, std::move(value));
  }
  return labels;
}

bool IsLabelText(std::string_view text) {
  std::string_view name;
  std::string value;
  bool comma = false;  // behind which another label must come
  while (!text.empty()) {
    const std::string_view before = text;
    if (!TakeLabel(text, name, value)) return false;
    comma = before[before.size() - text.size() - 1] == ',';
  }
  return !comma;
}

}  // namespace sluice
