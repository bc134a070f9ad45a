#include "core/config/forms.h"

#include <arpa/inet.h>
#include <re2/re2.h>
#include <sys/un.h>

#include <algorithm>

#include "core/base/strings.h"
#include "core/config/text.h"

namespace sluice {
namespace {

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

template <typename Allowed>
bool AllOf(std::string_view text, Allowed allowed) {
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

bool IsToken(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return AllOf(text, [](char c) { return IsAlnum(c) || kMarks.find(c) != kMarks.npos; });
}

// A DNS name: labels of letters, digits, "-" and "_", up to 63 each. One that ends in a number
// would be read as a broken IPv4 address elsewhere (RFC 3986, WHATWG URL).
bool IsHostName(std::string_view text) {
  if (text.size() > 253) return false;
  std::string_view last;
  while (true) {
    const size_t dot = text.find('.');
    last = text.substr(0, dot);
    if (last.size() > 63 ||
        !AllOf(last, [](char c) { return IsAlnum(c) || c == '-' || c == '_'; })) {
      return false;
    }
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
    if (text.empty()) break;  // the root's dot
  }
  return !ParseDecimal(last);
}

int IpFamily(std::string_view text) {
  in6_addr parsed;
  const std::string copy(text);
  if (copy.find('\0') != std::string::npos) return AF_UNSPEC;
  if (inet_pton(AF_INET, copy.c_str(), &parsed) == 1) return AF_INET;
  if (inet_pton(AF_INET6, copy.c_str(), &parsed) == 1) return AF_INET6;
  return AF_UNSPEC;
}

bool IsCidr(std::string_view text) {
  const size_t slash = text.find('/');
  const int family = IpFamily(text.substr(0, slash));
  if (family == AF_UNSPEC) return false;
  if (slash == std::string_view::npos) return true;
  const auto bits = ParseDecimal(text.substr(slash + 1));
  return bits && *bits <= (family == AF_INET ? 32u : 128u);
}

// a.b, *.b, a.*, *: hosts as they stand in a request, without port.
bool IsDomain(std::string_view text) {
  if (text == "*") return true;
  if (text.substr(0, 2) == "*.") return IsHostName(text.substr(2));
  if (text.size() > 2 && text.substr(text.size() - 2) == ".*") {
    // Any label may follow, so a number before it is no address.
    return AllOf(text.substr(0, text.size() - 2),
                 [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; });
  }
  if (text.front() == '[' && text.back() == ']') {
    return IpFamily(text.substr(1, text.size() - 2)) == AF_INET6;
  }
  return IpFamily(text) == AF_INET || IsHostName(text);
}

bool IsHost(std::string_view text) {
  if (text.find('*') != std::string_view::npos) return false;
  if (IsDomain(text)) return true;
  const auto parts = SplitAddress(text);
  return parts && parts->path.empty();
}

bool Fits(config::Form form, std::string_view text) {
  switch (form) {
    case config::TEXT:
      return true;
    case config::NAME:
      return text.size() <= 128 &&
             AllOf(text, [](char c) { return IsAlnum(c) || c == '_' || c == '-' || c == '.'; });
    case config::LISTEN: {
      const auto parts = SplitAddress(text);
      return parts && (parts->is_ip || !parts->path.empty());
    }
    case config::ENDPOINT: {
      const auto parts = SplitAddress(text);
      return parts && (parts->port != 0 || !parts->path.empty());
    }
    case config::SERVER: {
      if (IpFamily(text) != AF_UNSPEC) return true;
      const auto parts = SplitAddress(text);
      return parts && parts->is_ip && parts->port != 0;
    }
    case config::CIDR:
      return IsCidr(text);
    case config::DOMAIN:
      return IsDomain(text);
    case config::HEADER_NAME:
    case config::TOKEN:
      return IsToken(text);
    case config::HEADER_VALUE:
      return std::all_of(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t';
      });
    case config::PATH:
      return !text.empty() && text.front() == '/' &&
             AllOf(text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
    case config::FILE:
      return !text.empty() && text.find('\0') == std::string_view::npos;
    case config::HOST:
      return !text.empty() && IsHost(text);
    default:
      return true;
  }
}

}  // namespace

std::optional<AddressParts> SplitAddress(std::string_view text) {
  AddressParts parts;
  if (text.substr(0, 5) == "unix:") {
    parts.path = text.substr(5);
    // "@name" is in Linux's abstract space (unix(7)).
    const bool fits = parts.path.size() > 1 &&
                      (parts.path.front() == '/' || parts.path.front() == '@') &&
                      parts.path.size() < sizeof(sockaddr_un::sun_path) &&
                      parts.path.find('\0') == std::string_view::npos;
    return fits ? std::optional(parts) : std::nullopt;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = ParseDecimal(text.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;
  parts.port = static_cast<uint16_t>(*port);
  parts.host = text.substr(0, colon);
  if (parts.host.size() > 2 && parts.host.front() == '[' && parts.host.back() == ']') {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
    parts.is_ip = true;
    return IpFamily(parts.host) == AF_INET6 ? std::optional(parts) : std::nullopt;
  }
  parts.is_ip = IpFamily(parts.host) == AF_INET;
  return parts.is_ip || IsHostName(parts.host) ? std::optional(parts) : std::nullopt;
}

std::string_view FormName(config::Form form) {
  switch (form) {
    case config::NAME:
      return "a name of letters, digits, \"-\", \"_\" and \".\"";
    case config::LISTEN:
      return "an address such as 127.0.0.1:8080, [::1]:8080 or unix:/run/web.sock";
    case config::ENDPOINT:
      return "an address such as 127.0.0.1:8080, api.internal:80 or unix:/run/api.sock";
    case config::SERVER:
      return "an IP address, with or without a port";
    case config::CIDR:
      return "an address range such as 10.0.0.0/8";
    case config::REGEX:
      return "a regex (RE2)";
    case config::DOMAIN:
      return "a domain such as a.example.com, *.example.com, www.* or *";
    case config::HEADER_NAME:
      return "a header name";
    case config::HEADER_VALUE:
      return "a header value, without control characters";
    case config::TOKEN:
      return "a single word";
    case config::PATH:
      return "a path that begins with \"/\", without spaces";
    case config::FILE:
      return "a file's path";
    case config::HOST:
      return "a host such as example.com or example.com:8080";
    default:
      return "a text";
  }
}

std::string CheckForm(config::Form form, std::string_view text) {
  if (form == config::REGEX) {
    RE2::Options options;
    options.set_log_errors(false);
    const RE2 regex(re2::StringPiece(text.data(), text.size()), options);
    return regex.ok() ? "" : StrCat({"bad regex ", Quoted(text), ": ", regex.error()});
  }
  const bool may_be_empty = form == config::TEXT || form == config::HEADER_VALUE;
  if (text.empty() && !may_be_empty) return StrCat({"expected ", FormName(form), ", got \"\""});
  if (Fits(form, text)) return "";
  return StrCat({"expected ", FormName(form), ", got ", Quoted(text)});
}

}  // namespace sluice
