#include "core/config/address_overlap.h"

#include <arpa/inet.h>

#include "core/base/strings.h"
#include "core/config/forms.h"

namespace sluice {
namespace {

// The address in its binary form, so that ::1 and 0:0:0:0:0:0:0:1 are one; "" for the wildcard.
std::string Binary(std::string_view host, bool v6) {
  const std::string text(host);
  unsigned char bytes[16] = {};
  inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), bytes);
  const std::string binary(reinterpret_cast<const char*>(bytes), v6 ? 16 : 4);
  return binary.find_first_not_of('\0') == std::string::npos ? "" : binary;
}

}  // namespace

std::optional<std::string> AddressOverlap::Next(std::string_view address, std::string_view owner) {
  const auto parts = SplitAddress(address);
  if (!parts) return std::nullopt;
  const bool v6 = parts->host.find(':') != std::string_view::npos;
  std::string group = "unix";
  std::string key(parts->path);
  if (key.empty()) {
    if (parts->port == 0) return std::nullopt;  // any free port: never the same twice
    group = StrCat({v6 ? "6:" : "4:", Decimal(parts->port)});
    key = Binary(parts->host, v6);
  }
  auto& owners = taken_[group];
  if (const auto same = owners.find(key); same != owners.end())
    return "it is that of " + same->second;
  if (group != "unix") {
    if (const auto all = owners.find(""); all != owners.end()) {
      return StrCat({all->second, " has all addresses of port ", Decimal(parts->port)});
    }
    if (key.empty() && !owners.empty()) {
      return StrCat({owners.begin()->second, " has an address of port ", Decimal(parts->port)});
    }
  }
  owners.emplace(std::move(key), owner);
  return std::nullopt;
}

}  // namespace sluice
