#include "core/http/http1/grammar.h"

namespace sluice::http1 {
namespace {

// What may stand in a registered name or an IPv4 address: RFC 3986's reg-name without the comma,
// which is how two Host fields look when somebody joined them.
constexpr std::array<bool, 256> kHostTable = [] {
  std::array<bool, 256> table{};
  for (int c = 1; c < 128; ++c) {
    const char as_char = static_cast<char>(c);
    table[static_cast<size_t>(c)] =
        IsAlpha(as_char) || IsDigit(as_char) ||
        std::string_view("-._~%!$&'()*+;=").find(as_char) != std::string_view::npos;
  }
  return table;
}();

bool IsPort(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  int port = 0;
  for (char c : text) {
    if (!IsDigit(c)) return false;
    port = port * 10 + (c - '0');
  }
  return port <= 65535;
}

bool IsIpLiteral(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text) {
    const bool hex = IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!hex && c != ':' && c != '.') return false;
  }
  return text.find(':') != std::string_view::npos;
}

}  // namespace

bool IsAuthority(std::string_view text, bool needs_port) {
  size_t end = 0;
  if (!text.empty() && text[0] == '[') {
    end = text.find(']');
    if (end == std::string_view::npos || !IsIpLiteral(text.substr(1, end - 1))) return false;
    ++end;
  } else {
    while (end < text.size() && kHostTable[static_cast<uint8_t>(text[end])]) ++end;
    if (end == 0) return false;
  }
  if (end == text.size()) return !needs_port;
  return text[end] == ':' && IsPort(text.substr(end + 1));
}

}  // namespace sluice::http1
