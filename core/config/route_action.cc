#include "core/config/route_action.h"

#include "core/base/strings.h"
#include "core/config/route_authority.h"

namespace sluice {
namespace {

std::string_view DefaultPort(std::string_view scheme) { return scheme == "https" ? "443" : "80"; }

// What is not allowed in a URI (RFC 3986 2) goes percent-encoded; "%" stays, it stands for itself.
void AppendEscaped(std::string_view text, std::string& out) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  constexpr std::string_view kNotAllowed = "\"<>\\^`{|}";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && kNotAllowed.find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
}

// How the query is joined to a path that may have one already.
std::string_view QueryMark(std::string_view path, std::string_view query) {
  if (query.empty()) return "";
  return path.find('?') == std::string_view::npos ? "?" : "&";
}

}  // namespace

std::string_view RouteRedirect::Authority(std::string_view scheme, std::string_view authority,
                                          Arena& arena) const {
  const RouteAuthority asked = SplitAuthority(authority);
  const RouteAuthority written = SplitAuthority(host_);
  const std::string_view host = host_.empty() ? asked.host : written.host;
  const bool changed = (!scheme_.empty() && scheme_ != scheme) ||
                       (!host_.empty() && !EqualsIgnoreCase(host, asked.host));
  const Decimal own(port_);
  std::string_view port = changed ? std::string_view() : asked.port;
  if (!written.port.empty()) port = written.port;
  if (port_ != 0) port = own;
  // RFC 3986 6.2.3: the default port is left out.
  if (port == DefaultPort(scheme_.empty() ? scheme : scheme_)) port = {};
  return arena.Join({host, port.empty() ? "" : ":", port});
}

std::string_view RouteRedirect::Location(std::string_view scheme, std::string_view authority,
                                         std::string_view path, std::string_view query,
                                         Arena& arena) const {
  std::string location;
  const std::string_view host = Authority(scheme, authority, arena);
  if (!host.empty()) {
    location.append(scheme_.empty() ? scheme : scheme_).append("://").append(host);
  }

  std::string_view changed = path_.empty() ? change_.Apply(path, arena) : std::string_view(path_);
  if (!changed.starts_with('/')) changed = "/";  // OPTIONS * and CONNECT name no path
  std::string_view fragment;
  if (!path_.empty() && changed.find('#') != std::string_view::npos) {
    fragment = changed.substr(changed.find('#'));
    changed = changed.substr(0, changed.find('#'));
  }
  // A query that is written takes the place of the request's.
  const bool has_query = !path_.empty() && changed.find('?') != std::string_view::npos;
  if (strip_query_ || has_query) query = {};

  // Without an authority, "//" would begin one (RFC 3986 4.2).
  if (host.empty() && changed.starts_with("//")) location += "/.";
  AppendEscaped(changed, location);
  location += QueryMark(changed, query);
  AppendEscaped(query, location);
  AppendEscaped(fragment, location);
  return arena.Copy(location);
}

std::string_view RouteRewrite::Target(std::string_view path, std::string_view query,
                                      Arena& arena) const {
  const std::string_view changed = change_.Apply(path, arena);
  if (query.empty()) return changed;
  return arena.Join({changed, QueryMark(changed, query), query});
}

}  // namespace sluice
