// The parts of a request's authority, "host" or "host:port" (RFC 3986 3.2).
#ifndef SLUICE_CORE_CONFIG_ROUTE_AUTHORITY_H_
#define SLUICE_CORE_CONFIG_ROUTE_AUTHORITY_H_

#include <string_view>

namespace sluice {

struct RouteAuthority {
  std::string_view host;  // of an IPv6 address with its brackets
  std::string_view port;  // digits; empty if there is none
};

// Views into `authority`. What has no valid port is all host.
inline RouteAuthority SplitAuthority(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return {authority, {}};
  const std::string_view host = authority.substr(0, colon);
  const std::string_view port = authority.substr(colon + 1);
  const bool is_port = port.find_first_not_of("0123456789") == std::string_view::npos;
  // A colon before this one is an IPv6 address's, whose port comes after a bracket only.
  const bool bracketed = !host.empty() && host.back() == ']';
  if (!is_port || (!bracketed && host.find(':') != std::string_view::npos)) return {authority, {}};
  return {host, port};
}

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_AUTHORITY_H_
