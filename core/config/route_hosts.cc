#include "core/config/route_hosts.h"

#include <algorithm>
#include <string>

#include "core/base/strings.h"
#include "core/config/route_authority.h"

namespace sluice {

bool RouteHosts::Add(std::string_view domain, uint32_t host) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  const std::string name = LowerAscii(domain);
  if (name == "*") {
    const bool first = any_ == kNone;
    if (first) any_ = host;
    return first;
  }
  if (name.starts_with("*.")) {
    const std::string_view suffix = std::string_view(name).substr(1);
    if (suffix.size() <= kMaxName) suffix_lengths_.set(suffix.size());
    return suffixes_.Insert(suffix, host);
  }
  if (name.ends_with(".*")) {
    const std::string_view prefix = std::string_view(name).substr(0, name.size() - 1);
    if (prefix.size() <= kMaxName) prefix_lengths_.set(prefix.size());
    return prefixes_.Insert(prefix, host);
  }
  return exact_.Insert(name, host);
}

uint32_t RouteHosts::Find(std::string_view authority) const {
  std::string_view host = SplitAuthority(authority).host;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > kMaxName) return any_;
  char lower[kMaxName];
  std::transform(host.begin(), host.end(), lower, [](char c) { return LowerAscii(c); });
  const std::string_view name(lower, host.size());
  if (const uint32_t found = exact_.Find(name); found != kNone) return found;
  if (const uint32_t found = FindWildcard(name); found != kNone) return found;
  return any_;
}

uint32_t RouteHosts::FindWildcard(std::string_view name) const {
  if (suffixes_.size() > 0) {
    for (size_t dot = name.find('.', 1); dot != std::string_view::npos;
         dot = name.find('.', dot + 1)) {
      if (!suffix_lengths_[name.size() - dot]) continue;
      if (const uint32_t found = suffixes_.Find(name.substr(dot)); found != kNone) return found;
    }
  }
  if (prefixes_.size() > 0 && name.size() > 1) {
    for (size_t dot = name.rfind('.', name.size() - 2); dot != std::string_view::npos && dot > 0;
         dot = name.rfind('.', dot - 1)) {
      if (!prefix_lengths_[dot + 1]) continue;
      if (const uint32_t found = prefixes_.Find(name.substr(0, dot + 1)); found != kNone) {
        return found;
      }
    }
  }
  return kNone;
}

}  // namespace sluice
